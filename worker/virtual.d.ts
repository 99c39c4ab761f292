declare module 'virtual:task-runtime' {
  /** The Worker's trusted part, as a classic script. */
  export const taskRuntime: string;
}

declare module 'virtual:site-files' {
  /** Paths of the built site's parts whose names carry a hash. */
  export const files: readonly string[];
  /** Another one whenever a part changes. */
  export const version: string;
}

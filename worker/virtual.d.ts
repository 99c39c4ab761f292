declare module 'virtual:task-runtime' {
  /** The Worker's trusted part, as a classic script. */
  export const taskRuntime: string;
}

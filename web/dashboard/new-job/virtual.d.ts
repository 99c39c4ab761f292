/** Made by sdk/remote/sdk-plugin.ts from what sdk/types.ts declares. */
declare module 'virtual:task-members' {
  export interface TaskParameter {
    readonly name: string;
    readonly type: string;
    readonly optional: boolean;
    /** As many as one likes. */
    readonly rest: boolean;
  }

  export interface TaskMember {
    readonly name: string;
    /** As one would write it: `(fraction: number) => void`. */
    readonly type: string;
    /** One sentence; '' where the declaration has none. */
    readonly about: string;
    /** null for what is not called. */
    readonly parameters: readonly TaskParameter[] | null;
  }

  export const taskMembers: readonly TaskMember[];
}

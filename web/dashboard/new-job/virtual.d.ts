declare module 'virtual:task-members' {
  import type { TaskMember } from '../../sdk/remote/task-members.ts';
  /** As sdk/types.ts declares them; made by sdk/remote/sdk-plugin.ts. */
  export const taskMembers: readonly TaskMember[];
}

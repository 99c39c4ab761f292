/// <reference types="node" />
// The members of `Task` as its declaration says them, for the code editor: one source for the types of /sdk.d.ts and for what is said
// while somebody writes.
import { readFileSync } from 'node:fs';
import type { TaskMember, TaskParameter } from 'virtual:task-members';

export const taskMembers = (): TaskMember[] => membersOf(readFileSync(new URL('../types.ts', import.meta.url), 'utf8'), 'Task');

/** Of an interface that says each member on a line of its own. @throws Error with the line that is none */
export function membersOf(source: string, name: string): TaskMember[] {
  const body = new RegExp(`^export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source)?.[1];
  if (body === undefined) throw new Error(`the sources of the public types lack an interface ${name}`);
  const members: TaskMember[] = [];
  let about = '';
  for (const line of body.split('\n')) {
    const comment = /^ {2}\/\*\* (.*) \*\/$/.exec(line);
    const property = /^ {2}readonly (\w+): (.+);$/.exec(line);
    const method = /^ {2}(\w+)\((.*)\): ([^;]+);$/.exec(line);
    if (comment !== null) {
      about = comment[1]!;
      continue;
    }
    if (property !== null) members.push({ name: property[1]!, type: property[2]!, about, parameters: null });
    else if (method !== null)
      members.push({ name: method[1]!, type: `(${method[2]}) => ${method[3]}`, about, parameters: parametersOf(method[2]!) });
    else if (line.trim() !== '') throw new Error(`a member of ${name} that the editor could not say: ${line.trim()}`);
    about = '';
  }
  return members;
}

const parametersOf = (text: string): TaskParameter[] =>
  text === ''
    ? []
    : text.split(/, (?=[\w.]+\??:)/).map((each) => {
        const [, rest, name, optional, type] = /^(\.\.\.)?(\w+)(\?)?: (.+)$/.exec(each)!;
        return { name: name!, type: type!, optional: optional !== undefined, rest: rest !== undefined };
      });

/// <reference types="node" />
// Writes /sdk.d.ts: one file that needs no other. It is put together from the files that declare the public API, as they stand; what
// they take from the kernel's contracts is written out from the schemas.
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { runningSchema } from '../../kernel/protocol/contracts/executor.ts';
import { memberStates } from '../../kernel/protocol/contracts/groups.ts';
import { memberSchema } from '../../kernel/protocol/contracts/membership.ts';
import { limitsSchema, resourceStateSchema } from '../../kernel/protocol/contracts/resources.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

const head = `// Types of /sdk.js: the network of a Lull site for a page of any other origin.

`;
const connection = `
/** What is thrown: the message is one sentence for a person, the code is for programs. */
export declare class LullError extends Error {
  readonly name: 'LullError';
  readonly code: LullErrorCode;
  constructor(code: LullErrorCode, message: string);
}

/** One item that failed for good: its message names the item, its stack is the one of where it ran, its cause is the failure as it came. */
export declare class ItemError extends Error {
  readonly name: 'ItemError';
  readonly index: number;
  readonly cause: ItemFailure;
}

`;

export function declarations(): string {
  const ids = ['IdentityId', 'JobId', 'ObjectId', 'PeerId'].map((name) => `export type ${name} = string;\n`).join('');
  const inferred = [
    ['Limits', limitsSchema],
    ['ResourceState', resourceStateSchema],
    ['Running', runningSchema],
    ['MemberState', v.picklist(memberStates)],
    ['Member', memberSchema],
  ] as const;
  return [
    head,
    `/** 64 hex digits; a peer's: 32, a dash and 16. */\n${ids}`,
    ...inferred.map(([name, schema]) => `export type ${name} = ${typeOf(schema)};\n`),
    declared(read('../types.ts')),
    `\n${declaredOf(read('../../kernel/lib/outcome.ts'), /export type FaultCode =[\s\S]*?;/)}\n`,
    declaredOf(read('../errors.ts'), /export type LullErrorCode =[\s\S]*?;/),
    connection,
    declared(read('./net.ts')),
    `\n${declaredOf(read('./connect.ts'), /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\nexport async function connect[^{]*(?:\{\})?[^{]*(?=\{)/)
      .replace('export async function', 'export declare function')
      .replace('options: ConnectOptions = {}', 'options?: ConnectOptions')
      .trimEnd()};\n`,
  ].join('');
}

/** Without imports, re-exports and the comment that speaks of the file. */
const declared = (source: string) =>
  source
    .replace(/^(?:\/\/.*\n)+/, '')
    .replaceAll(/^(?:import|export type \{)[\s\S]*?from '[^']+';\n/gm, '')
    .trimStart();

function declaredOf(source: string, form: RegExp): string {
  const found = form.exec(source)?.[0];
  if (found === undefined) throw new Error(`the sources of the public types lack ${form}`);
  return found;
}

type Schema = v.GenericSchema & {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly item?: Schema;
  readonly items?: readonly Schema[];
  readonly wrapped?: Schema;
  readonly options?: readonly unknown[];
};

/** The TypeScript of what a schema lets through. @throws Error for a kind that no public type has so far */
export function typeOf(given: v.GenericSchema): string {
  const schema = given as Schema;
  switch (schema.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return schema.type;
    // Ids: their form is of no interest to whoever only hands them on.
    case 'custom':
      return 'string';
    case 'picklist':
      return schema.options!.map((option) => JSON.stringify(option)).join(' | ');
    case 'nullable':
      return `${typeOf(schema.wrapped!)} | null`;
    case 'array': {
      const item = typeOf(schema.item!);
      return item.includes(' | ') ? `(${item})[]` : `${item}[]`;
    }
    case 'strict_tuple':
      return `[${schema.items!.map(typeOf).join(', ')}]`;
    case 'strict_object': {
      const fields = Object.entries(schema.entries!).map(([name, field]) =>
        field.type === 'optional' ? `${name}?: ${typeOf(field.wrapped!)} | undefined;` : `${name}: ${typeOf(field)};`,
      );
      return `{\n${fields.map(indented).join('\n')}\n}`;
    }
    default:
      throw new Error(`no type is written for a schema of kind ${schema.type}`);
  }
}

const indented = (text: string) => text.replaceAll(/^/gm, '  ');

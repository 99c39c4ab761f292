// How a service's contract is written down: per resource and verb the schema of request and reply, and who may call.
import type * as v from 'valibot';
import type { Verb } from './message.ts';

/** 'local': only this tab. 'member': any proven member of the group. */
export type Access = 'local' | 'member';

export interface Operation<Request = unknown, Response = unknown> {
  readonly access: Access;
  readonly request: v.GenericSchema<unknown, Request>;
  readonly reply: v.GenericSchema<unknown, Response>;
}

export interface Contract {
  readonly name: string;
  readonly resources: { readonly [resource: string]: { readonly [verb in Verb]?: Operation } };
  /** What can be subscribed to, by resource. A subscriber first gets the latest publication, if there is one. */
  readonly publishes: { readonly [resource: string]: v.GenericSchema };
}

export function operation<Q extends v.GenericSchema, R extends v.GenericSchema>(access: Access, request: Q, reply: R) {
  return { access, request, reply };
}

export const contract = <const C extends Contract>(definition: C): C => definition;

export type RequestOf<
  C extends Contract,
  R extends keyof C['resources'],
  V extends keyof C['resources'][R],
> = C['resources'][R][V] extends { request: infer S extends v.GenericSchema } ? v.InferOutput<S> : never;
export type ReplyOf<C extends Contract, R extends keyof C['resources'], V extends keyof C['resources'][R]> = C['resources'][R][V] extends {
  reply: infer S extends v.GenericSchema;
}
  ? v.InferOutput<S>
  : never;
export type PublicationOf<C extends Contract, P extends keyof C['publishes']> = v.InferOutput<C['publishes'][P]>;

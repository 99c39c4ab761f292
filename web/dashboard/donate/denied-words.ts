// What the operator of the site has denied, in words. Pure.
import type { DeniedState } from '../../kernel/protocol/contracts/abuse.ts';
import { isHex64 } from '../../kernel/lib/ids.ts';
import { Denied } from '../../kernel/protocol/deny-list.ts';
import { plural } from '../view/format.ts';

export function deniedWords({ version, signedAt, entries, reportsWaiting }: DeniedState): string {
  const of = (what: 'job' | 'code' | 'identity') => entries.filter((entry) => entry.what === what).length;
  const counts: readonly [number, string][] = [
    [of('job'), plural(of('job'), 'job')],
    [of('code'), `the code of ${plural(of('code'), 'program')}`],
    [of('identity'), plural(of('identity'), 'person', 'people')],
  ];
  const said = counts.flatMap(([count, words]) => (count > 0 ? [words] : []));
  const list =
    said.length === 0
      ? 'The operator of this site has denied nothing.'
      : `The operator of this site has denied ${said.length < 2 ? said[0] : `${said.slice(0, -1).join(', ')} and ${said.at(-1)}`}: none of it runs or is kept here (list ${version}, of ${new Date(signedAt).toLocaleDateString()}).`;
  const waiting = `${plural(reportsWaiting, 'report')} of yours ${reportsWaiting === 1 ? 'waits' : 'wait'} for the server.`;
  return reportsWaiting === 0 ? list : `${list} ${waiting}`;
}

/** The last list that was not taken; '' where all were. */
export function refusedWords({ refused }: Pick<DeniedState, 'refused'>): string {
  const last = refused.at(-1);
  return last === undefined
    ? ''
    : `A deny list from ${last.by === null ? 'the server' : `the tab ${last.by.slice(0, 8)}`} was refused. ${last.why}`;
}

/** Why a page cannot show the job of this id; undefined where the operator has not denied it. */
export const whyDenied = (denied: DeniedState | null, id: string): string | undefined =>
  denied === null || !isHex64(id) ? undefined : new Denied(denied.entries).whyJob({ id, codeHash: '', submitter: '' });

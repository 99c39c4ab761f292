import { useEffect, useState, type ReactNode } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import type { Neighbour, Outsider } from '../../kernel/protocol/contracts/groups.ts';
import type { Member } from '../../kernel/protocol/contracts/membership.ts';
import { Pill } from '../pieces/pieces.tsx';
import { useDeps, useSnapshot } from '../shell/deps.ts';
import { Link } from '../shell/router.tsx';
import { bytes, count, items, plural } from '../view/format.ts';
import type { PeerDoings } from './source.ts';
import { sentenceFor, standing, standingThere, type Standing } from './standing.ts';

export const linkWords = ({ rttMs }: Pick<Member, 'rttMs'>) => (rttMs === null ? 'by one hop' : `${count(Math.max(1, rttMs))} ms`);

/** Everything this tab knows of a peer of its group, and what that one says it runs and keeps. */
export function PeerCard({ member, self }: { member: Member; self: boolean }) {
  const link = useSnapshot((snapshot) => snapshot.links.find(({ peer }) => peer === member.peer));
  const reason = useSnapshot((snapshot) => (self ? (snapshot.resources?.value.reason.sentence ?? '') : ''));
  const bridgeTo = useSnapshot((snapshot) =>
    (snapshot.groups?.value.neighbours ?? [])
      .filter(({ bridges }) => bridges.some(({ here }) => here === member.peer))
      .map(({ name }) => name)
      .join(', '),
  );
  const { offer } = member;
  return (
    <Card peer={member.peer} identity={member.identity} look={standing(member)} mark={self ? '(you)' : ''}>
      <p className="sm">{reason || sentenceFor(member)}</p>
      <dl className="facts">
        {offer === null ? null : (
          <>
            <div>
              <dt>Machine</dt>
              <dd>
                {plural(offer.machine.cores, 'core')}
                {offer.machine.memoryMiB === null ? '' : `, ${bytes(offer.machine.memoryMiB * 2 ** 20)} of memory`}
              </dd>
            </div>
            {offer.state === 'off' ? null : (
              <div>
                <dt>Works now</dt>
                <dd>
                  {offer.sandbox.workersRunning} of {plural(offer.sandbox.workersAllowed, 'core')} allowed,{' '}
                  {plural(offer.sandbox.claimed, 'part')} claimed
                </dd>
              </div>
            )}
            <div>
              <dt>Storage</dt>
              <dd>
                {offer.storage.keeps
                  ? `${bytes(offer.storage.usedMiB * 2 ** 20)} of ${bytes(offer.storage.allowedMiB * 2 ** 20)} kept for others`
                  : 'gives none of it to others'}
              </dd>
            </div>
          </>
        )}
        <Doings key={member.peer} peer={member.peer} />
        {bridgeTo === '' ? null : (
          <div>
            <dt>Bridge to</dt>
            <dd>{bridgeTo}</dd>
          </div>
        )}
        {self ? null : (
          <div>
            <dt>Link</dt>
            <dd>
              {link === undefined
                ? 'by one hop through another peer'
                : `${linkWords(member)} there and back, ${bytes(link.bytesIn)} in, ${bytes(link.bytesOut)} out`}
            </dd>
          </div>
        )}
      </dl>
    </Card>
  );
}

/** The same of a peer of another group, as far as it is known. */
export function OutsiderCard({ peer, neighbour }: { peer: Outsider; neighbour: Neighbour }) {
  const look = standingThere(neighbour.states[neighbour.members.findIndex((other) => other.peer === peer.peer)]);
  const isBridge = neighbour.bridges.some(({ there }) => there === peer.peer);
  return (
    <Card peer={peer.peer} identity={peer.identity} look={look} mark={`of ${neighbour.name}`}>
      <p className="sm">
        {isBridge ? 'It keeps a bridge between its group and this one.' : `It works in the neighbouring group ${neighbour.name}.`}
      </p>
      <dl className="facts">
        <Doings key={peer.peer} peer={peer.peer} />
      </dl>
    </Card>
  );
}

function Card({ identity, look, mark, children }: { peer: string; identity: string; look: Standing; mark: string; children: ReactNode }) {
  return (
    <section className="card stack peer-card" aria-label="Selected peer">
      <div className="between">
        <h2 className="peer-name">
          {nameOf(identity)}
          {mark === '' ? null : <span className="mute"> {mark}</span>}
        </h2>
        <Pill tone={look.tone}>{look.word}</Pill>
      </div>
      {children}
      <dl className="facts">
        <div>
          <dt>Key</dt>
          <dd className="key">{identity.match(/.{1,8}/g)?.join(' ')}</dd>
        </div>
      </dl>
    </section>
  );
}

const runsShown = 3;

/** Asked of the peer itself while its card is open. */
function Doings({ peer }: { peer: string }) {
  const { network } = useDeps();
  const jobs = useSnapshot((snapshot) => snapshot.jobs);
  const [doings, setDoings] = useState<PeerDoings>({ running: null, kept: null });
  useEffect(() => network.watchPeer(peer, setDoings), [network, peer]);
  const { running, kept } = doings;
  return (
    <>
      <div>
        <dt>Runs</dt>
        <dd>
          {running === null ? (
            <span className="mute">asking it</span>
          ) : running.length === 0 ? (
            'nothing now'
          ) : (
            <ul className="plain">
              {running.slice(0, runsShown).map((run) => (
                <li key={run.record}>
                  <Link to={`/jobs/${run.job}`}>
                    {jobs?.find(({ id }) => id === run.job)?.manifest.name || `job ${run.job.slice(0, 8)}`}
                  </Link>
                  , {items(run.range)}
                </li>
              ))}
              {running.length > runsShown ? <li className="mute">and {plural(running.length - runsShown, 'more part')}</li> : null}
            </ul>
          )}
        </dd>
      </div>
      <div>
        <dt>Holds</dt>
        <dd>
          {kept === null ? (
            <span className="mute">asking it</span>
          ) : kept.objects === 0 ? (
            'nothing'
          ) : (
            `${bytes(kept.usedBytes)} of ${plural(kept.objects, 'object')}`
          )}
        </dd>
      </div>
    </>
  );
}

import { useState, type KeyboardEvent } from 'react';
import { groupNameOf, nameOf } from '../../kernel/lib/names.ts';
import type { GroupView, Member } from '../../kernel/protocol/contracts/membership.ts';
import { reasonThere } from '../../kernel/protocol/reasons.ts';
import { Pill, Skeleton, type Tone } from '../pieces/pieces.tsx';
import { useSnapshot } from '../shell/deps.ts';
import { Heading } from '../shell/router.tsx';
import { bytes, count, plural, rate } from '../view/format.ts';
import { placesOf } from './layout.ts';

const radius = 190;

interface Standing {
  readonly word: string;
  readonly tone: Tone;
}

/** What a member is up to, in the words of the page. */
function standing({ status, offer }: Member): Standing {
  if (status === 'suspect') return { word: 'not answering', tone: 'coral' };
  if (offer === null) return { word: 'just joined', tone: 'mute' };
  switch (offer.state) {
    case 'idle':
      return { word: 'idle', tone: 'tide' };
    case 'cooling':
      return { word: 'cooling', tone: 'dusk' };
    case 'in use':
      return { word: 'in use', tone: 'dusk' };
    case 'constrained':
      return { word: 'held back', tone: 'dusk' };
    case 'stopped':
      return offer.sandbox.workersRunning > 0 ? { word: 'finishing', tone: 'dusk' } : { word: 'asleep', tone: 'mute' };
    case 'off':
      return { word: 'not donating', tone: 'mute' };
  }
}

export function NetworkPage() {
  const group = useSnapshot((snapshot) => snapshot.group);
  const [selected, select] = useState<string | null>(null);
  if (group === null || group.members.length === 0) {
    return (
      <>
        <Heading title="Network">Looking for others</Heading>
        <div className="card">
          <Skeleton lines={8} />
        </div>
      </>
    );
  }
  const { members } = group;
  const name = group.groupName || groupNameOf(group.group);
  const donors = members.filter(({ offer }) => offer !== null && offer.state !== 'off');
  const cores = donors.reduce((sum, { offer }) => sum + (offer?.machine.cores ?? 0), 0);
  const busy = members.reduce((sum, { offer }) => sum + (offer?.sandbox.workersRunning ?? 0), 0);
  const chosen = members.find(({ peer }) => peer === selected) ?? members[0]!;
  return (
    <>
      <div className="page-head">
        <div>
          <Heading title="Network">
            {members.length === 1 ? `You are the only one in ${name}` : `${members.length} tabs work together in ${name}`}
          </Heading>
          <p className="mute">
            {members.length === 1
              ? 'Open this address in another browser, or send it to somebody: their tabs appear here.'
              : donors.length === 0
                ? 'Nobody is donating just now.'
                : `${plural(donors.length, 'tab donates', 'tabs donate')}, on ${donors.length === 1 ? 'a machine' : 'machines'} with ${plural(cores, 'core')}; ${busy === 0 ? 'none is' : plural(busy, 'is', 'are')} computing now.`}
          </p>
        </div>
      </div>
      <div className="network-top">
        <section className="card map" aria-label={`Map of ${name}`}>
          <GroupMap group={group} name={name} chosen={chosen.peer} onSelect={select} />
        </section>
        <PeerCard member={chosen} self={chosen.peer === members[0]!.peer} />
      </div>
      <section className="card stack" aria-label="Peers">
        <h2>Peers in {name}</h2>
        <PeerTable members={members} chosen={chosen.peer} onSelect={select} />
      </section>
    </>
  );
}

function GroupMap({ group, name, chosen, onSelect }: { group: GroupView; name: string; chosen: string; onSelect: (peer: string) => void }) {
  const links = useSnapshot((snapshot) => snapshot.links);
  const { members } = group;
  const places = placesOf(members.length, radius);
  const linked = new Set<string>(links.map(({ peer }) => peer));
  const pick = (peer: string) => (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onSelect(peer);
  };
  return (
    <svg viewBox="-330 -232 660 464" role="group" aria-label={`${name}: ${plural(members.length, 'peer')}`}>
      <circle className="group-circle" r={radius + 14} />
      <text className="group-name" y={-radius - 24}>
        {name}
      </text>
      {members.map(({ peer }, i) => {
        if (i === 0) return null;
        const place = places[i]!;
        return <line key={peer} className={linked.has(peer) ? 'link-line' : 'link-line relayed'} x1={0} y1={0} x2={place.x} y2={place.y} />;
      })}
      {members.map((member, i) => {
        const place = places[i]!;
        const { word, tone } = standing(member);
        const size = i === 0 ? 17 : 12;
        const right = i === 0 || place.x >= -1;
        return (
          <g
            key={member.peer}
            className={`node ${tone}`}
            transform={`translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})`}
            role="button"
            tabIndex={0}
            aria-pressed={member.peer === chosen}
            aria-label={`${i === 0 ? 'you, ' : ''}${nameOf(member.identity)}, ${word}`}
            onClick={() => onSelect(member.peer)}
            onKeyDown={pick(member.peer)}
          >
            <circle className="node-halo" r={size + 6} />
            <circle className="node-dot" r={size} />
            {members.length <= 14 || i === 0 || member.peer === chosen ? (
              <text
                x={i === 0 ? 0 : right ? size + 8 : -size - 8}
                y={i === 0 ? size + 18 : 4}
                textAnchor={i === 0 ? 'middle' : right ? 'start' : 'end'}
              >
                {i === 0 ? 'you' : nameOf(member.identity)}
              </text>
            ) : null}
          </g>
        );
      })}
    </svg>
  );
}

function PeerTable({ members, chosen, onSelect }: { members: readonly Member[]; chosen: string; onSelect: (peer: string) => void }) {
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Peer</th>
            <th scope="col">State</th>
            <th scope="col" className="num">
              Cores busy
            </th>
            <th scope="col" className="num wide">
              Items per second
            </th>
            <th scope="col" className="num wide">
              Link
            </th>
            <th scope="col" className="num wide">
              Keeps
            </th>
          </tr>
        </thead>
        <tbody>
          {members.map((member, i) => {
            const { word, tone } = standing(member);
            const { offer } = member;
            return (
              <tr key={member.peer} className={member.peer === chosen ? 'chosen' : undefined}>
                <td>
                  <button type="button" className="link nowrap" aria-pressed={member.peer === chosen} onClick={() => onSelect(member.peer)}>
                    {nameOf(member.identity)}
                  </button>
                  {i === 0 ? <span className="mute"> (you)</span> : null}
                </td>
                <td>
                  <Pill tone={tone}>{word}</Pill>
                </td>
                <td className="num">{offer === null ? '–' : `${offer.sandbox.workersRunning} / ${offer.machine.cores}`}</td>
                <td className="num wide">{offer === null ? '–' : rate(offer.sandbox.itemsPerSecond)}</td>
                <td className="num wide">{i === 0 ? <span className="mute">–</span> : linkWords(member)}</td>
                <td className="num wide">
                  {offer === null || !offer.storage.keeps ? <span className="mute">nothing</span> : bytes(offer.storage.usedMiB * 2 ** 20)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const linkWords = ({ rttMs }: Member) => (rttMs === null ? 'by one hop' : `${count(Math.max(1, rttMs))} ms`);

/** Everything this tab knows of one peer. */
function PeerCard({ member, self }: { member: Member; self: boolean }) {
  const link = useSnapshot((snapshot) => snapshot.links.find(({ peer }) => peer === member.peer));
  const reason = useSnapshot((snapshot) => (self ? (snapshot.resources?.value.reason.sentence ?? '') : ''));
  const { word, tone } = standing(member);
  const { offer } = member;
  return (
    <section className="card stack peer-card" aria-label="Selected peer">
      <div className="between">
        <h2 className="peer-name">
          {nameOf(member.identity)}
          {self ? <span className="mute"> (you)</span> : null}
        </h2>
        <Pill tone={tone}>{word}</Pill>
      </div>
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
                  : 'keeps nothing for others'}
              </dd>
            </div>
          </>
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
        <div>
          <dt>Key</dt>
          <dd className="key">{member.identity.match(/.{1,8}/g)?.join(' ')}</dd>
        </div>
      </dl>
    </section>
  );
}

function sentenceFor({ status, offer }: Member): string {
  if (status === 'suspect') return 'It has not answered for a moment. Its work is given to others if it stays silent.';
  if (offer === null) return 'It joined just now and has not said yet what it offers.';
  if (offer.reason !== '') return reasonThere(offer.reason);
  return offer.sandbox.workersRunning > 0
    ? 'Nobody is using that machine, so it computes.'
    : 'Nobody is using that machine: it is ready for work.';
}

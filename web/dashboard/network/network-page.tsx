import { useState } from 'react';
import { groupNameOf, nameOf } from '../../kernel/lib/names.ts';
import type { Neighbour } from '../../kernel/protocol/contracts/groups.ts';
import type { Member } from '../../kernel/protocol/contracts/membership.ts';
import { Pill, Skeleton } from '../pieces/pieces.tsx';
import { TableHead } from '../pieces/table-head.tsx';
import { useNow, useSnapshot } from '../shell/deps.ts';
import { Heading } from '../shell/router.tsx';
import { bytes, plural, rate } from '../view/format.ts';
import { GroupMap, Legend } from './group-map.tsx';
import { JobsBetween } from './jobs-between.tsx';
import { linkWords, OutsiderCard, PeerCard } from './peer-card.tsx';
import { standing } from './standing.ts';
import { loadSentence, neighbourSentence } from './wording.ts';

const none: readonly Neighbour[] = [];

export function NetworkPage() {
  const group = useSnapshot((snapshot) => snapshot.group);
  const neighbours = useSnapshot((snapshot) => snapshot.groups?.value.neighbours) ?? none;
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
  const chosen = members.find(({ peer }) => peer === selected);
  const abroad = chosen === undefined ? outsiderIn(neighbours, selected) : undefined;
  const shown = chosen ?? members[0]!;
  return (
    <>
      <div className="page-head">
        <div>
          <Heading title="Network">
            {members.length === 1 ? `You are the only one in ${name}` : `${members.length} tabs work together in ${name}`}
          </Heading>
          <p className="mute">
            {sentenceOfGroup(members)}
            {neighbours.length === 0 ? '' : ` ${plural(neighbours.length, 'neighbouring group')}.`}
          </p>
        </div>
      </div>
      <div className="network-top">
        <section className="card map" aria-label={`Map of ${name}`}>
          <GroupMap group={group} name={name} neighbours={neighbours} chosen={abroad?.peer.peer ?? shown.peer} onSelect={select} />
          <Legend />
        </section>
        {abroad === undefined ? (
          <PeerCard member={shown} self={shown.peer === members[0]!.peer} />
        ) : (
          <OutsiderCard peer={abroad.peer} neighbour={abroad.neighbour} />
        )}
      </div>
      {neighbours.length === 0 ? null : (
        <>
          <NeighbourList neighbours={neighbours} />
          <JobsBetween group={group.group} neighbours={neighbours} />
        </>
      )}
      <section className="card stack" aria-label="Peers">
        <h2>Peers in {name}</h2>
        <PeerTable members={members} chosen={shown.peer} onSelect={select} />
      </section>
    </>
  );
}

function outsiderIn(neighbours: readonly Neighbour[], selected: string | null) {
  for (const neighbour of neighbours) {
    const peer = neighbour.members.find((member) => member.peer === selected);
    if (peer !== undefined) return { peer, neighbour };
  }
  return undefined;
}

function sentenceOfGroup(members: readonly Member[]): string {
  if (members.length === 1) return 'Open this address in another browser, or send it to somebody: their tabs appear here.';
  const donors = members.filter(({ offer }) => offer !== null && offer.state !== 'off');
  if (donors.length === 0) return 'Nobody is donating just now.';
  const cores = donors.reduce((sum, { offer }) => sum + (offer?.machine.cores ?? 0), 0);
  const busy = members.reduce((sum, { offer }) => sum + (offer?.sandbox.workersRunning ?? 0), 0);
  return `${plural(donors.length, 'tab donates', 'tabs donate')}, on ${donors.length === 1 ? 'a machine' : 'machines'} with ${plural(cores, 'core')}; ${busy === 0 ? 'none is' : plural(busy, 'is', 'are')} computing now.`;
}

function NeighbourList({ neighbours }: { neighbours: readonly Neighbour[] }) {
  const now = useNow(1_000);
  const atMs = useSnapshot((snapshot) => snapshot.groups?.atMs ?? 0);
  return (
    <section className="card stack" aria-label="Neighbouring groups">
      <h2>Neighbouring groups</h2>
      <ul className="plain neighbour-list">
        {neighbours.map((neighbour) => (
          <li key={neighbour.group}>
            <b>{neighbour.name}</b> <Pill tone={neighbour.up ? 'tide' : 'coral'}>{neighbour.up ? 'connected' : 'cut off'}</Pill>
            <span className="sm">{neighbourSentence(neighbour, Math.max(0, now - atMs))}</span>
            {neighbour.up ? <span className="sm mute">{loadSentence(neighbour)}</span> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

function PeerTable({ members, chosen, onSelect }: { members: readonly Member[]; chosen: string; onSelect: (peer: string) => void }) {
  return (
    <div className="scroll">
      <table>
        <TableHead
          columns={['Peer', 'State', ['Cores busy', 'num'], ['Items per second', 'num wide'], ['Link', 'num wide'], ['Keeps', 'num wide']]}
        />
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

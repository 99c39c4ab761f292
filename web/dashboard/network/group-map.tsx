import type { KeyboardEvent } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import type { Neighbour } from '../../kernel/protocol/contracts/groups.ts';
import type { GroupView } from '../../kernel/protocol/contracts/membership.ts';
import { useSnapshot } from '../shell/deps.ts';
import { plural } from '../view/format.ts';
import { homeRadius, mapLayout, placesOf, ringsOf, type Circle, type Place } from './layout.ts';
import { shapes, standing, standingThere, type Shape, type Standing } from './standing.ts';

interface MapProps {
  readonly group: GroupView;
  readonly name: string;
  readonly neighbours: readonly Neighbour[];
  readonly chosen: string;
  readonly onSelect: (peer: string) => void;
}

/** This tab's group in the middle, its neighbours around, bridges as lines from tab to tab. */
export function GroupMap({ group, name, neighbours, chosen, onSelect }: MapProps) {
  const links = useSnapshot((snapshot) => snapshot.links);
  const { members } = group;
  const { circles, box } = mapLayout(neighbours.length);
  const places = placesOf(members.length, homeRadius, neighbours.length > 0);
  const linked = new Set<string>(links.map(({ peer }) => peer));
  const at = new Map<string, Place>(members.map(({ peer }, i) => [peer, places[i]!]));
  const there = neighbours.map((neighbour, i) => membersOn(neighbour, circles[i]!));
  for (const dots of there) for (const { peer, place } of dots) at.set(peer, place);
  return (
    <svg
      viewBox={`${box.x} ${box.y} ${box.width} ${box.height}`}
      className={neighbours.length > 0 ? 'wide-map' : undefined}
      role="group"
      aria-label={`${name}: ${plural(members.length, 'peer')}${neighbours.length > 0 ? `, ${plural(neighbours.length, 'neighbouring group')}` : ''}`}
    >
      <circle className="group-circle" r={homeRadius + 14} />
      <text className="group-name" y={-homeRadius - 24}>
        {name}
      </text>
      {neighbours.map((neighbour, i) => {
        const { x, y, radius } = circles[i]!;
        return (
          <g key={neighbour.group}>
            <circle className={neighbour.up ? 'group-circle' : 'group-circle cut'} cx={x} cy={y} r={radius} />
            <text className="group-name" x={x} y={y - radius - 8}>
              {neighbour.name}
              {neighbour.up ? '' : ' (cut off)'}
            </text>
          </g>
        );
      })}
      {members.map(({ peer }, i) => {
        if (i === 0) return null;
        const place = places[i]!;
        return <line key={peer} className={linked.has(peer) ? 'link-line' : 'link-line relayed'} x1={0} y1={0} x2={place.x} y2={place.y} />;
      })}
      {neighbours.flatMap(({ group: id, bridges }) =>
        bridges.map((bridge) => {
          const [from, to] = [at.get(bridge.here), at.get(bridge.there)];
          if (from === undefined || to === undefined) return null;
          return (
            <line key={`${id} ${bridge.here} ${bridge.there}`} className="bridge-line" x1={from.x} y1={from.y} x2={to.x} y2={to.y}>
              <title>{`Bridge from ${nameOf(bridge.here)} to ${nameOf(bridge.there)}`}</title>
            </line>
          );
        }),
      )}
      {members.map((member, i) => (
        <Node
          key={member.peer}
          place={places[i]!}
          name={i === 0 ? 'you' : nameOf(member.identity)}
          label={`${i === 0 ? 'you, ' : ''}${nameOf(member.identity)}`}
          look={standing(member)}
          size={i === 0 ? 17 : 12}
          text={
            members.length <= 14 || i === 0 || member.peer === chosen ? (i === 0 ? 'below' : places[i]!.x >= -1 ? 'right' : 'left') : null
          }
          chosen={member.peer === chosen}
          onSelect={() => onSelect(member.peer)}
        />
      ))}
      {there.flatMap((dots, i) =>
        dots.map(({ peer, place, look }) => (
          <Node
            key={peer}
            place={place}
            name={nameOf(peer)}
            label={`${nameOf(peer)} of ${neighbours[i]!.name}`}
            look={look}
            size={9}
            text={peer === chosen ? 'below' : null}
            chosen={peer === chosen}
            onSelect={() => onSelect(peer)}
          />
        )),
      )}
    </svg>
  );
}

function membersOn({ members, states }: Neighbour, circle: Circle): { peer: string; place: Place; look: Standing }[] {
  const rings = ringsOf(members.length, circle.radius);
  return members.map(({ peer }, i) => ({
    peer,
    place: { x: circle.x + rings[i]!.x, y: circle.y + rings[i]!.y },
    look: standingThere(states[i]),
  }));
}

interface NodeProps {
  readonly place: Place;
  readonly name: string;
  readonly label: string;
  readonly look: Standing;
  readonly size: number;
  /** Where its name stands; null for none. */
  readonly text: 'below' | 'left' | 'right' | null;
  readonly chosen: boolean;
  readonly onSelect: () => void;
}

function Node({ place, name, label, look, size, text, chosen, onSelect }: NodeProps) {
  const pick = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onSelect();
  };
  const beside = text === 'right' ? size + 8 : text === 'left' ? -size - 8 : 0;
  return (
    <g
      className={`node ${look.tone}`}
      transform={`translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})`}
      role="button"
      tabIndex={0}
      aria-pressed={chosen}
      aria-label={`${label}, ${look.word}`}
      onClick={onSelect}
      onKeyDown={pick}
    >
      <circle className="node-halo" r={size + 6} />
      <Dot shape={look.shape} size={size} />
      {text === null ? null : (
        <text x={beside} y={text === 'below' ? size + 18 : 4} textAnchor={text === 'right' ? 'start' : text === 'left' ? 'end' : 'middle'}>
          {name}
        </text>
      )}
    </g>
  );
}

/** Told apart without colour: full, half, hollow, and a hollow one with a question mark. */
function Dot({ shape, size }: { shape: Shape; size: number }) {
  switch (shape) {
    case 'full':
      return <circle className="node-dot" r={size} />;
    case 'half':
      return (
        <>
          <circle className="node-ring" r={size - 1} />
          <path className="node-dot" d={`M ${-size} 0 A ${size} ${size} 0 0 0 ${size} 0 Z`} />
        </>
      );
    case 'hollow':
      return <circle className="node-ring" r={size - 1} />;
    case 'doubt':
      return (
        <>
          <circle className="node-ring doubt" r={size - 1} />
          <text className="node-mark" y={size * 0.45} style={{ fontSize: size * 1.3 }} textAnchor="middle">
            ?
          </text>
        </>
      );
  }
}

export const Legend = () => (
  <ul className="map-legend" aria-label="What the marks mean">
    {shapes.map(([shape, tone, word]) => (
      <li key={shape}>
        <svg viewBox="-10 -10 20 20" width="16" height="16" aria-hidden="true">
          <g className={`node ${tone}`}>
            <Dot shape={shape} size={8} />
          </g>
        </svg>
        {word}
      </li>
    ))}
    <li>
      <svg viewBox="0 0 24 10" width="24" height="10" aria-hidden="true">
        <line className="bridge-line" x1="0" y1="5" x2="24" y2="5" />
      </svg>
      bridge to another group
    </li>
  </ul>
);

import type { Overview } from '../../sdk/types.ts';
import { PeerName, Pill, type Tone } from '../pieces/pieces.tsx';
import { TableHead } from '../pieces/table-head.tsx';
import { useSnapshot } from '../shell/deps.ts';
import { colourOf } from '../view/drawn.tsx';
import { count, duration } from '../view/format.ts';
import { peersNamed } from './over-time.tsx';

const toneOf: Record<string, Tone> = { idle: 'tide', cooling: 'dusk', 'in use': 'dusk', off: 'mute', gone: 'mute' };

/** Who ran what; the colours are those of the areas over it. */
export function WhereItRuns({ overview, own, ended }: { overview: Overview; own: string | undefined; ended: boolean }) {
  const members = useSnapshot((snapshot) => snapshot.group?.members);
  const { contributors } = overview;
  if (contributors.length === 0) return <p className="mute sm">{ended ? 'Nobody finished a part.' : 'Nobody has finished a part yet.'}</p>;
  return (
    <div className="scroll">
      <table className="compact">
        <TableHead columns={['Peer', ['Items', 'num'], ['Parts', 'num wide'], ['CPU time', 'num'], ['Now', 'wide']]} />
        <tbody>
          {contributors.slice(0, 24).map(({ identity, items, parts, tookMs }, place) => {
            const member = members?.find((each) => each.identity === identity);
            const state = member === undefined ? 'gone' : (member.offer?.state ?? 'off');
            return (
              <tr key={identity}>
                <td className="nowrap">
                  <i className={`peer-colour line${place < peersNamed ? colourOf(place) : colourOf(peersNamed)}`} />
                  <PeerName identity={identity} self={own} />
                </td>
                <td className="num">{count(items)}</td>
                <td className="num wide">{count(parts)}</td>
                <td className="num">{duration(tookMs)}</td>
                <td className="wide">
                  <Pill tone={toneOf[state] ?? 'mute'}>{state}</Pill>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

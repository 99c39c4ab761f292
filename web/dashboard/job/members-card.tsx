import type { MemberStanding, Standing } from '../../sdk/types.ts';
import { PeerName, Pill, Skeleton, type Tone } from '../pieces/pieces.tsx';
import { doingOf, queueSentence } from './standing-words.ts';

/** How the job stands in the group now: what every member says that it does of it, and why it does nothing. */
export function MembersCard({ standing, own, paused }: { standing: Standing | null; own: string | undefined; paused: boolean }) {
  return (
    <section className="card stack" aria-label="Members and this job">
      <h2>Who works on it now, and who does not</h2>
      {standing === null ? (
        <Skeleton lines={4} />
      ) : (
        <>
          <p className="sm">
            {paused ? 'It is paused: nobody begins a part of it. ' : null}
            {queueSentence(standing)}
            {paused || standing.sentence === '' ? null : <span className="mute"> Kept from it: {standing.sentence}</span>}
          </p>
          <div className="scroll">
            <table className="compact">
              <thead>
                <tr>
                  <th scope="col">Member</th>
                  <th scope="col">Does of it</th>
                  <th scope="col" className="wide" title="Whether the job may use it, as the member says whose turn it is to decide that">
                    Allocated
                  </th>
                </tr>
              </thead>
              <tbody>
                {standing.members.map((member) => (
                  <MemberRow key={member.peer} member={member} own={own} />
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

const allocations: Readonly<Record<string, readonly [tone: Tone, word: string]>> = { true: ['tide', 'yes'], false: ['mute', 'no'] };

function MemberRow({ member, own }: { member: MemberStanding; own: string | undefined }) {
  const { tone, word, more } = doingOf(member);
  const allocated = allocations[String(member.allocated)];
  return (
    <tr>
      <td className="nowrap">
        <PeerName identity={member.identity} self={own} />
      </td>
      <td>
        <Pill tone={tone}>{word}</Pill> <span className="sm mute">{more}</span>
      </td>
      <td className="wide">
        {allocated === undefined ? <span className="mute">–</span> : <Pill tone={allocated[0]}>{allocated[1]}</Pill>}
      </td>
    </tr>
  );
}

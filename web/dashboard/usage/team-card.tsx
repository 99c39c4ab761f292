import { useEffect, useState } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import { teamTitleCharsMax, type Team } from '../../kernel/lib/team.ts';
import type { TeamGift } from '../../kernel/protocol/contracts/ledger.ts';
import { CopyButton } from '../data/copy-button.tsx';
import { MakeForm } from '../pieces/make-form.tsx';
import { Skeleton } from '../pieces/pieces.tsx';
import { TableHead } from '../pieces/table-head.tsx';
import { sentenceOf, useCommand, useDeps } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { count, plural } from '../view/format.ts';
import { useTeam } from './team-source.ts';
import { teamSum } from './team-sums.ts';
import { titleOfTeam } from './team-words.ts';

const lookEveryMs = 5_000;
const membersShown = 12;

/** The team: who is in it, what they gave together, how others come in, and how to leave. */
export function TeamCard({ self }: { self: string }) {
  const { team: source } = useDeps();
  const { team, left } = useTeam();
  const { run, problem } = useCommand();
  return (
    <section className="card stack" aria-label="Team">
      {team === null ? (
        <>
          <h2>Give as a team</h2>
          {left === null ? null : (
            <Notice tone="tide">
              You left {titleOfTeam(left)}: what you give from now on is in your own name.{' '}
              <button type="button" className="link" onClick={() => run(async () => source.join(left))}>
                Undo
              </button>
            </Notice>
          )}
          <p className="sm">
            A team is a link. Who opens it gives in the team’s name, and all who have it see what they gave together. What you give is yours
            all the same, and you may leave whenever you like.
          </p>
          <MakeTeam />
        </>
      ) : (
        <>
          <div className="between">
            <h2>Your team: {titleOfTeam(team)}</h2>
            <span className="row-actions">
              <CopyButton label="Copy team link" text={source.linkOf(team)} />
              <button type="button" className="btn ghost small" onClick={() => run(async () => source.leave())}>
                Leave team
              </button>
            </span>
          </div>
          <Together key={team.key} team={team} self={self} />
        </>
      )}
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
    </section>
  );
}

function MakeTeam() {
  const { team: source } = useDeps();
  return (
    <MakeForm
      label="Make a team"
      placeholder="an office, a school, two friends"
      hint="Its name stays in this browser and in the link. Strangers see neither the team nor who is in it."
      maxLength={teamTitleCharsMax}
      isName={(name) => name.trim() !== ''}
      make={(name) => source.make(name)}
    />
  );
}

function Together({ team, self }: { team: Team; self: string }) {
  const { team: source } = useDeps();
  const [gifts, setGifts] = useState<readonly TeamGift[] | null>(null);
  const [problem, setProblem] = useState('');
  const [all, setAll] = useState(false);
  useEffect(() => {
    let gone = false;
    const look = () =>
      source.gifts(team).then(
        (found) => {
          if (gone) return;
          setGifts(found);
          setProblem('');
        },
        (error: unknown) => gone || setProblem(sentenceOf(error)),
      );
    void look();
    const timer = setInterval(() => void look(), lookEveryMs);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [source, team]);
  if (problem !== '') return <Notice tone="dusk">{problem}</Notice>;
  if (gifts === null) return <Skeleton lines={4} />;
  const { members, items, parts, jobs } = teamSum(gifts, self);
  return (
    <>
      <p>
        {items === 0
          ? 'Nothing was given in its name yet: whoever is in it appears here with the first part.'
          : `Together you gave ${plural(items, 'item')} in ${plural(parts, 'part')} to ${plural(jobs, 'job')}.`}
      </p>
      <div className="scroll">
        <table className="compact">
          <TableHead columns={['Who', ['Items', 'num'], ['Parts', 'num'], ['Jobs', 'num']]} />
          <tbody>
            {(all ? members : members.slice(0, membersShown)).map((member) => (
              <tr key={member.identity}>
                <td>
                  {nameOf(member.identity)} {member.identity === self ? <span className="mute">(you)</span> : null}
                </td>
                <td className="num">{count(member.items)}</td>
                <td className="num">{count(member.parts)}</td>
                <td className="num">{count(member.jobs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {members.length > membersShown ? (
          <button type="button" className="link sm" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'Show fewer' : `Show ${count(members.length - membersShown)} more`}
          </button>
        ) : null}
      </div>
      <p className="mute sm">
        Counted from the results themselves, each signed by who gave it, of the jobs that this network still keeps. CPU time is missing here
        because nobody can check what another machine says of it.
      </p>
    </>
  );
}

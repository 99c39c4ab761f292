import { useEffect, useState } from 'react';
import { groupNameOf } from '../../kernel/lib/names.ts';
import type { Neighbour } from '../../kernel/protocol/contracts/groups.ts';
import type { ClockRelationOfJob, JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import { JobStateBadge, Pill } from '../pieces/pieces.tsx';
import { sentenceOf, useDeps, useSnapshot } from '../shell/deps.ts';
import { Link } from '../shell/router.tsx';
import { count, plural } from '../view/format.ts';
import { clockLines, historyWords, relationSentence, toneOfRelation, withRelations, type ClockLine, type Relations } from './wording.ts';

const jobsShown = 50;
const clockLinesShown = 12;
const clockEveryMs = 2_000;

/** Told by the bridges of this group, maybe this tab; each is asked only while this is shown. */
export function useRelations(neighbours: readonly Neighbour[]): readonly ClockRelationOfJob[] {
  const { network } = useDeps();
  const bridges = [...new Set(neighbours.flatMap((neighbour) => neighbour.bridges.map(({ here }) => here)))];
  const key = bridges.toSorted().join(' ');
  const [relations, setRelations] = useState<Relations>(new Map());
  useEffect(() => {
    const peers = key === '' ? [] : key.split(' ');
    const cancels = peers.map((peer) => network.watchRelations(peer, (told) => setRelations((before) => withRelations(before, told))));
    return () => {
      for (const cancel of cancels) cancel();
    };
  }, [network, key]);
  return [...relations.values()];
}

interface JobsBetweenProps {
  readonly group: string;
  readonly neighbours: readonly Neighbour[];
}

/** How the jobs that several groups take part in stand: a line a job, a column a neighbour. */
export function JobsBetween({ group, neighbours }: JobsBetweenProps) {
  const jobs = useSnapshot((snapshot) => snapshot.jobs) ?? [];
  const relations = useRelations(neighbours);
  const [selected, select] = useState<string | null>(null);
  const shared = jobs.filter(({ id }) => relations.some(({ job }) => job === id)).slice(0, jobsShown);
  const chosen = shared.find(({ id }) => id === selected);
  return (
    <section className="card stack" aria-label="Jobs between groups">
      <h2>Jobs between groups</h2>
      {shared.length === 0 ? (
        <p className="mute">No job runs in more than one group now. A group with nothing to do asks its neighbours for work.</p>
      ) : (
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Job</th>
                <th scope="col">State here</th>
                <th scope="col" className="wide">
                  Home
                </th>
                {neighbours.map((neighbour) => (
                  <th scope="col" key={neighbour.group}>
                    {neighbour.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shared.map((job) => (
                <tr key={job.id} className={job.id === selected ? 'chosen' : undefined}>
                  <td>
                    <button
                      type="button"
                      className="link"
                      aria-pressed={job.id === selected}
                      onClick={() => select(job.id === selected ? null : job.id)}
                    >
                      {job.manifest.name || `job ${job.id.slice(0, 8)}`}
                    </button>
                  </td>
                  <td>
                    <JobStateBadge state={job.state} />
                  </td>
                  <td className="wide">{job.home === group ? 'here' : groupNameOf(job.home)}</td>
                  {neighbours.map((neighbour) => (
                    <td key={neighbour.group}>
                      <RelationCell
                        up={neighbour.up}
                        relation={relations.find((it) => it.job === job.id && it.group === neighbour.group)}
                      />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {chosen === undefined ? null : (
        <JobClock key={chosen.id} job={chosen} neighbours={neighbours} relations={relations.filter(({ job }) => job === chosen.id)} />
      )}
    </section>
  );
}

function RelationCell({ relation, up }: { relation: ClockRelationOfJob | undefined; up: boolean }) {
  if (relation === undefined) return <span className="mute">–</span>;
  return (
    <span className="nowrap" title={relationSentence(relation.relation)}>
      <Pill tone={toneOfRelation[relation.relation]}>{relation.relation}</Pill>{' '}
      <span className="mute sm">{up ? `${count(relation.ours)} : ${count(relation.theirs)}` : 'when last heard'}</span>
    </span>
  );
}

interface JobClockProps {
  readonly job: JobSummary;
  readonly neighbours: readonly Neighbour[];
  readonly relations: readonly ClockRelationOfJob[];
}

/** The vector clock of a job, and the last merges in words. */
function JobClock({ job, neighbours, relations }: JobClockProps) {
  const { network } = useDeps();
  const [lines, setLines] = useState<readonly ClockLine[] | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let live = true;
    const ask = () =>
      network.clockOf(job.id).then(
        (clock) => {
          if (live) setLines(clockLines(clock));
        },
        (error: unknown) => {
          if (live) setProblem(sentenceOf(error));
        },
      );
    void ask();
    const timer = setInterval(() => void ask(), clockEveryMs);
    return () => {
      live = false;
      clearInterval(timer);
    };
  }, [network, job.id]);
  const isUp = (id: string) => neighbours.some(({ group, up }) => group === id && up);
  const events = lines?.reduce((sum, line) => sum + line.events, 0) ?? 0;
  return (
    <div className="stack job-clock" role="group" aria-label={`Clock of ${job.manifest.name}`}>
      <h3>
        {job.manifest.name || `job ${job.id.slice(0, 8)}`} <Link to={`/jobs/${job.id}`}>open</Link>
      </h3>
      <ul className="plain stack">
        {relations.map((relation) => (
          <li key={relation.group}>
            <b>{neighbours.find(({ group }) => group === relation.group)?.name ?? groupNameOf(relation.group)}</b>: {historyWords(relation)}
            .{' '}
            {isUp(relation.group)
              ? relation.words || relationSentence(relation.relation)
              : 'It is cut off now: each side goes on by itself.'}
            {relation.lastMergeAt === null ? null : (
              <span className="mute"> Last merge at {new Date(relation.lastMergeAt).toLocaleTimeString()}.</span>
            )}
          </li>
        ))}
      </ul>
      {problem === '' ? null : <p role="alert">{problem}</p>}
      {lines === null ? null : (
        <>
          <p className="sm">
            Its clock here: {plural(events, 'event')}, written by {plural(lines.length, 'tab')}.
          </p>
          <ul className="plain clock-lines">
            {lines.slice(0, clockLinesShown).map(({ actor, name, held }) => (
              <li key={actor}>
                <span>{name}</span> <span className="mono">{held}</span>
              </li>
            ))}
            {lines.length > clockLinesShown ? <li className="mute">and {plural(lines.length - clockLinesShown, 'more tab')}</li> : null}
          </ul>
        </>
      )}
    </div>
  );
}

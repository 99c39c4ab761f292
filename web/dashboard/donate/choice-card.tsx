// Whose jobs run here, as the person chose.
import { isHex32 } from '../../kernel/lib/ids.ts';
import { groupNameOf, nameOf } from '../../kernel/lib/names.ts';
import type { Limits, ResourceState } from '../../kernel/protocol/contracts/resources.ts';
import { useCommand, useDeps, useSnapshot } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { without } from './choice.ts';
import { deniedWords, refusedWords } from './denied-words.ts';

export function ChoiceCard({ resources }: { resources: ResourceState }) {
  const { donor } = useDeps();
  const { run, problem } = useCommand();
  const jobs = useSnapshot((snapshot) => snapshot.jobs);
  const { limits } = resources;
  const change = (limit: Partial<Limits>) => run(() => donor.limit(limit));
  const named = (id: string) =>
    isHex32(id) ? `the group ${groupNameOf(id)}` : (jobs?.find((job) => job.id === id)?.manifest.name ?? nameOf(id));
  const option = (value: Limits['jobs'], words: string) => (
    <label className="tick">
      <input type="radio" name="whose-jobs" checked={limits.jobs === value} onChange={() => change({ jobs: value })} /> {words}
    </label>
  );
  return (
    <section className="card choice" aria-label="Whose jobs">
      <fieldset className="whose">
        <legend className="h2">Whose jobs may run here</legend>
        {option('all', 'Everybody’s')}
        {option('followed', 'Only my own and those of people I follow')}
      </fieldset>
      <Listed
        title="People I follow"
        empty="Nobody yet. Follow somebody from a job that runs here: they then have a share of this machine of their own."
        action="Unfollow"
        ids={limits.follow}
        name={nameOf}
        remove={(id) => change({ follow: without(limits.follow, id) })}
      />
      <Listed
        title="Never run here"
        empty="Nothing. Whatever you stop with “Never” stands here."
        action="Allow again"
        ids={limits.never}
        name={named}
        remove={(id) => change({ never: without(limits.never, id) })}
      />
      <DeniedHere />
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
    </section>
  );
}

/** What the operator of the site has denied, in one line; nothing where the site has none, or they have denied nothing yet. */
function DeniedHere() {
  const denied = useSnapshot((snapshot) => snapshot.denied);
  if (denied === null || denied.operator === null) return null;
  const refused = refusedWords(denied);
  return (
    <div className="denied-here sm">
      <p className="mute">{deniedWords(denied)}</p>
      {denied.entries.length === 0 ? null : (
        <details>
          <summary>What, and why</summary>
          <ul>
            {denied.entries.slice(0, 100).map(({ what, id, reason }) => (
              <li key={`${what} ${id}`}>
                <span className="mute">
                  {what} <span className="fingerprint">{id.slice(0, 16)}</span>
                </span>{' '}
                {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
      {refused === '' ? null : <p className="mute">{refused}</p>}
    </div>
  );
}

function Listed<T extends string>({
  title,
  empty,
  action,
  ids,
  name,
  remove,
}: {
  title: string;
  empty: string;
  action: string;
  ids: readonly T[];
  name: (id: string) => string;
  remove: (id: T) => void;
}) {
  return (
    <div className="listed">
      <h2>{title}</h2>
      {ids.length === 0 ? <p className="mute sm">{empty}</p> : null}
      <ul>
        {ids.map((id) => (
          <li key={id}>
            <span title={id}>{name(id)}</span>
            <button type="button" className="link sm" aria-label={`${action}: ${name(id)}`} onClick={() => remove(id)}>
              {action}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

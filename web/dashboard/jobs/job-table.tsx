import { memo, useMemo, useState } from 'react';
import type { JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import { nameOf } from '../../kernel/lib/names.ts';
import { FilterField } from '../pieces/filter-field.tsx';
import { Pager, pageThere } from '../pieces/pager.tsx';
import { Bar, JobStateBadge, Pill, toneOfState } from '../pieces/pieces.tsx';
import { TableHead } from '../pieces/table-head.tsx';
import { Link } from '../shell/router.tsx';
import { count, rate, timeLeft } from '../view/format.ts';
import { listed, named } from './order.ts';

const pageRows = 25;

/** Jobs, a page at a time, what is under way first; where they are many they can be filtered by name. `from` shows whose they are. */
export function JobTable({ jobs, from = false }: { jobs: readonly JobSummary[]; from?: boolean }) {
  const [filter, setFilter] = useState('');
  const [wanted, setPage] = useState(0);
  const found = useMemo(() => listed(named(jobs, filter)), [jobs, filter]);
  const page = pageThere(found.length, pageRows, wanted);
  return (
    <div className="stack">
      {jobs.length > pageRows || filter !== '' ? (
        <FilterField
          value={filter}
          change={(value) => {
            setFilter(value);
            setPage(0);
          }}
          placeholder="words of the name"
          found={found.length}
          all={jobs.length}
          noun="job"
        />
      ) : null}
      <div className="scroll">
        <table className="jobs">
          <TableHead
            columns={[
              'Job',
              ...(from ? [['From', 'wide'] as const] : []),
              'State',
              'Progress',
              ['Items', 'num wide'],
              ['Per second', 'num wide'],
              ['Time left', 'wide'],
            ]}
          />
          <tbody>
            {found.length === 0 ? (
              <tr>
                <td colSpan={from ? 7 : 6} className="mute">
                  No job has all these words in its name.
                </td>
              </tr>
            ) : null}
            {found.slice(page * pageRows, (page + 1) * pageRows).map((job) => (
              <Row key={job.id} job={job} from={from} />
            ))}
          </tbody>
        </table>
      </div>
      <Pager rows={found.length} pageRows={pageRows} page={page} turn={setPage} />
    </div>
  );
}

/** A summary that has not changed is the same object: the list is published up to ten times a second. */
const Row = memo(function Row({ job, from }: { job: JobSummary; from: boolean }) {
  const done = job.committed + job.failed;
  const share = job.items === 0 ? 0 : done / job.items;
  const left = job.items - done;
  return (
    <tr>
      <td>
        <Link to={`/jobs/${job.id}`} className="job-name" title={job.manifest.name}>
          {job.manifest.name}
        </Link>
      </td>
      {from ? <td className="mute wide">{nameOf(job.manifest.submitter)}</td> : null}
      <td>{from ? <Pill tone={toneOfState[job.state]}>{job.state}</Pill> : <JobStateBadge state={job.state} />}</td>
      <td className="bar-cell">
        <Bar
          label={`${job.manifest.name}, progress`}
          value={share}
          shares={[
            { tone: 'tide', share: job.items === 0 ? 0 : job.committed / job.items },
            { tone: 'coral', share: job.items === 0 ? 0 : job.failed / job.items },
          ]}
        />
      </td>
      <td className="num wide">
        {count(done)} <span className="mute">of {count(job.items)}</span>
      </td>
      <td className="num wide">{job.state === 'running' ? rate(job.ratePerSecond) : <span className="mute">–</span>}</td>
      <td className="mute wide">
        {job.state === 'running'
          ? timeLeft(job.ratePerSecond > 0 ? left / job.ratePerSecond : null)
          : job.failed > 0
            ? `${count(job.failed)} failed`
            : ''}
      </td>
    </tr>
  );
});

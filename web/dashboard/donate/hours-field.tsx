import type { Hours } from '../../kernel/protocol/contracts/resources.ts';
import { days, firstHours, minuteOf, timeOf, withDay } from './hours.ts';

/** When work may run: at any time, or in one span of hours on chosen days. More spans, set by a script, stay as they are. */
export function HoursField({ schedule, onChange }: { schedule: readonly Hours[]; onChange: (schedule: Hours[]) => void }) {
  const [hours, ...others] = schedule;
  const change = (next: Hours | undefined) => {
    if (next !== undefined) onChange([next, ...others]);
  };
  return (
    <fieldset className="hours">
      <legend className="h2">Hours</legend>
      <label className="tick">
        <input type="checkbox" checked={hours !== undefined} onChange={(event) => onChange(event.target.checked ? [firstHours] : [])} />{' '}
        Only in these hours
      </label>
      {hours === undefined ? (
        <span className="sm">at any time</span>
      ) : (
        <>
          <span className="span">
            <input
              type="time"
              aria-label="From"
              value={timeOf(hours.from)}
              onChange={(event) => change(withTime(hours, 'from', event.target.value))}
            />
            to
            <input
              type="time"
              aria-label="Until"
              value={timeOf(hours.until)}
              onChange={(event) => change(withTime(hours, 'until', event.target.value))}
            />
          </span>
          <span className="days">
            {days.map(({ day, short, name }) => (
              <label key={day} title={name} className="day">
                <input
                  type="checkbox"
                  aria-label={name}
                  checked={hours.days.includes(day)}
                  onChange={(event) => change(withDay(hours, day, event.target.checked))}
                />
                {short}
              </label>
            ))}
          </span>
          {others.length > 0 ? <span className="sm mute">and more hours that a script has set</span> : null}
        </>
      )}
    </fieldset>
  );
}

function withTime(hours: Hours, which: 'from' | 'until', time: string): Hours | undefined {
  const minute = minuteOf(time);
  return minute === undefined ? undefined : { ...hours, [which]: minute };
}

package dev.tulle.proxy.guard;

import dev.tulle.proxy.http.Answers;
import dev.tulle.proxy.http.ResponseHead;
import dev.tulle.proxy.model.Resilience.Timeouts;
import dev.tulle.proxy.resilience.RetryRule;
import dev.tulle.proxy.resilience.Slots;
import dev.tulle.proxy.resilience.TimerWheel;
import dev.tulle.proxy.resilience.TryFailure;
import dev.tulle.proxy.telemetry.Act;
import dev.tulle.proxy.upstream.CallGuard;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Looks after one call: its times, its repetitions, and the slots it takes. One timer for all its limits. */
final class CallGuardian extends TimerWheel.Timer implements CallGuard {
    private static final long NEVER = Long.MAX_VALUE;

    private final DestinationGuard destination;
    private final @Nullable RetryRule retries;
    private final String method;
    private final boolean grpc;
    private final long delayMillis;
    private final long begunNanos = System.nanoTime();

    /** Times are nanoseconds since the call began; {@link #NEVER} where there is no such limit. */
    private final long total;

    private final boolean totalIsCallers;
    private final long perTry;
    private final long idle;
    private long tryUntil = NEVER;
    private long moved;
    private int retried;
    private @Nullable Late late;

    /** @param callerNanos what the caller allows, negative for all the time there is */
    CallGuardian(
            DestinationGuard destination,
            Timeouts timeouts,
            @Nullable RetryRule retries,
            String method,
            long callerNanos,
            long delayMillis,
            boolean grpc) {
        this.destination = destination;
        this.retries = retries;
        this.method = method;
        this.grpc = grpc;
        this.delayMillis = delayMillis;
        long ours = nanos(timeouts.totalMillis());
        this.totalIsCallers = callerNanos >= 0 && callerNanos < ours;
        this.total = totalIsCallers ? callerNanos : ours;
        this.perTry = nanos(timeouts.perTryMillis());
        this.idle = nanos(timeouts.idleMillis());
    }

    private static long nanos(long millis) {
        return millis == 0 ? NEVER : TimeUnit.MILLISECONDS.toNanos(millis);
    }

    @Override
    public long delayMillis() {
        return delayMillis;
    }

    @Override
    public void begin(Late listener) {
        late = listener;
        arm(0);
    }

    @Override
    public void tried() {
        if (perTry != NEVER) {
            long now = elapsed();
            tryUntil = now + perTry;
            arm(now);
        }
    }

    @Override
    public void moved() {
        if (idle != NEVER) {
            moved = elapsed();
        }
    }

    @Override
    public boolean mayWait() {
        if (destination.state().pending().take()) {
            return true;
        }
        destination.meter().count(Act.MAX_PENDING);
        return false;
    }

    @Override
    public void waited() {
        destination.state().pending().give();
    }

    @Override
    public @Nullable Slots connections() {
        return destination.connections();
    }

    @Override
    public void connectionsFull() {
        destination.meter().count(Act.MAX_CONNECTIONS);
    }

    @Override
    public boolean repeats() {
        return retries != null;
    }

    @Override
    public long retryAfterMillis(TryFailure failure, boolean replayable) {
        if (retries == null || !replayable || !retries.allows(failure, method, retried)) {
            return -1;
        }
        if (!destination.budget().take(System.nanoTime())) {
            destination.meter().count(Act.RETRY_BUDGET);
            return -1;
        }
        retried++;
        tryUntil = NEVER;
        destination.meter().count(Act.RETRY);
        return RetryRule.backoffMillis(retried, ThreadLocalRandom.current());
    }

    @Override
    public @Nullable TryFailure failureOf(ResponseHead answer) {
        if (retries == null) {
            return null;
        }
        String status = grpc ? answer.fields().first("grpc-status") : null;
        if (answer.status() < 500 && (status == null || status.equals("0"))) {
            return null;
        }
        String reason = answer.fields().first(Answers.REASON_FIELD);
        return TryFailure.answered(answer.status(), code(status), reason == null ? "" : reason);
    }

    private static int code(@Nullable String status) {
        if (status == null || status.isEmpty() || status.length() > 2) {
            return -1;
        }
        int code = 0;
        for (int i = 0; i < status.length(); i++) {
            char c = status.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            code = code * 10 + (c - '0');
        }
        return code;
    }

    @Override
    public ResponseHead passing(ResponseHead answer) {
        tryUntil = NEVER;
        moved();
        if (delayMillis == 0 || answer.fields().contains(Answers.REASON_FIELD)) {
            return answer;
        }
        return answer.withFields(answer.fields().toBuilder()
                .add(Answers.REASON_FIELD, "fault-delay")
                .build());
    }

    @Override
    public void tunnelled() {
        destination.timers().cancel(this);
        late = null;
    }

    @Override
    public void over() {
        destination.timers().cancel(this);
        late = null;
        destination.state().requests().give();
    }

    @Override
    protected void due() {
        Late listener = late;
        if (listener == null) {
            return;
        }
        long now = elapsed();
        if (now >= total) {
            passed(listener, totalIsCallers ? TimeLimit.DEADLINE : TimeLimit.TOTAL);
        } else if (now >= tryUntil) {
            tryUntil = NEVER;
            arm(now);
            passed(listener, TimeLimit.PER_TRY);
        } else if (idle != NEVER && now >= moved + idle) {
            passed(listener, TimeLimit.IDLE);
        } else {
            arm(now);
        }
    }

    private void passed(Late listener, TimeLimit limit) {
        destination
                .meter()
                .count(
                        switch (limit) {
                            case TOTAL -> Act.TIMEOUT;
                            case DEADLINE -> Act.DEADLINE;
                            case PER_TRY -> Act.TIMEOUT_PER_TRY;
                            case IDLE -> Act.TIMEOUT_IDLE;
                        });
        listener.late(limit);
    }

    private long elapsed() {
        return System.nanoTime() - begunNanos;
    }

    private void arm(long now) {
        long next = Math.min(total, tryUntil);
        if (idle != NEVER) {
            next = Math.min(next, moved + idle);
        }
        if (next == NEVER || late == null) {
            destination.timers().cancel(this);
        } else {
            destination.timers().set(this, begunNanos + next, begunNanos + now);
        }
    }
}

package dev.tulle.proxy.upstream;

import io.netty.channel.Channel;
import java.util.Optional;

/** Opens the upstream side of one opaque connection, trying other endpoints of the cluster while none could be reached. */
public final class OpaqueDial {
    private final Upstreams upstreams;
    private final Attempt.Source attempts;
    private final Done done;
    private int tries;

    /** How it ended; one of both is called, on the loop. */
    public interface Done {
        /** Handlers must be added inside this call. */
        void connected(Channel channel, Attempt attempt);

        /** The reason word of the last failure, or {@code no-endpoint}. */
        void failed(String reason);
    }

    private OpaqueDial(Upstreams upstreams, Attempt.Source attempts, Done done) {
        this.upstreams = upstreams;
        this.attempts = attempts;
        this.done = done;
    }

    public static void start(Upstreams upstreams, Attempt.Source attempts, Done done) {
        new OpaqueDial(upstreams, attempts, done).tryNext("no-endpoint");
    }

    private void tryNext(String lastReason) {
        Optional<Attempt> next = tries < HttpRelay.MAX_TRIES ? attempts.next() : Optional.empty();
        if (next.isEmpty()) {
            done.failed(lastReason);
            return;
        }
        tries++;
        Attempt attempt = next.get();
        attempt.started();
        upstreams.opaque(
                attempt.target(),
                channel -> {
                    attempt.connected();
                    done.connected(channel, attempt);
                },
                failure -> {
                    if (failure.isWorthAnotherEndpoint()) {
                        attempt.connectFailed();
                        tryNext(failure.wireName());
                    } else {
                        attempt.abandoned();
                        done.failed(failure.wireName());
                    }
                });
    }
}

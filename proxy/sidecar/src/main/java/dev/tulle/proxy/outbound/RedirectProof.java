package dev.tulle.proxy.outbound;

import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.redirect.Reach;
import dev.tulle.proxy.redirect.RedirectRules;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Shows that the nat rules are in force: dials a port of loopback that nobody serves, and must see itself arrive where redirected
 * connections do. Each family that leads out of the pod is shown by itself, again and again until it works. On the control loop.
 */
public final class RedirectProof {
    private static final int DIAL_MILLIS = 1000;
    private static final long AGAIN_SECONDS = 2;

    private final EventLoop loop;
    private final Transport transport;
    private final Consumer<String> told;

    /** What is not shown yet: address to what was last found. */
    private final Map<String, String> open = new LinkedHashMap<>();

    private boolean over;

    /** @param told what is wrong, one sentence for each family; empty once all is well, and nothing afterwards */
    public RedirectProof(EventLoop loop, Transport transport, Reach reach, Consumer<String> told) {
        this.loop = loop;
        this.transport = transport;
        this.told = told;
        if (reach.ipv4() || !reach.ipv6()) {
            open.put("127.0.0.1", "");
        }
        if (reach.ipv6()) {
            open.put("::1", "");
        }
    }

    /** Begins to dial. */
    public void begin() {
        List<ChannelFuture> dials = new ArrayList<>();
        for (String host : List.copyOf(open.keySet())) {
            dials.add(dial(host));
        }
        loop.schedule(
                () -> {
                    dials.forEach(dial -> dial.channel().close());
                    if (!over) {
                        told.accept(problem());
                        begin();
                    }
                },
                AGAIN_SECONDS,
                TimeUnit.SECONDS);
    }

    /** A redirected connection arrived whose destination was the reserved port. Any thread. */
    public void seen(HostPort original) {
        loop.execute(() -> {
            open.remove(original.host());
            if (open.isEmpty() && !over) {
                over = true;
                told.accept("");
            }
        });
    }

    private ChannelFuture dial(String host) {
        return new Bootstrap()
                .group(loop)
                .channel(transport.client())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, DIAL_MILLIS)
                .handler(new ChannelInboundHandlerAdapter())
                .connect(host, RedirectRules.PROOF_PORT)
                .addListener((ChannelFutureListener) done -> open.computeIfPresent(
                        host,
                        (any, before) -> done.isSuccess()
                                ? "somebody else answered"
                                : String.valueOf(done.cause().getMessage())));
    }

    private String problem() {
        List<String> parts = new ArrayList<>();
        open.forEach((host, found) -> parts.add("connections by %s are not redirected to the proxy (%s)"
                .formatted(host.contains(":") ? "IPv6" : "IPv4", found.isEmpty() ? "no answer" : found)));
        return String.join("; ", parts)
                + ": did the step tulle-redirect run in this pod, with this proxy's group as --proxy-gid?";
    }
}

package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * What one TrafficTarget lets in: its sources, on its ports, with its routes. All three conditions must hold (design: AND across
 * kinds, OR within a kind).
 *
 * @param target the TrafficTarget, {@code namespace/name}
 * @param sources identities that may call; empty grants nobody
 * @param ports ports of all TCPRoutes and {@code destination.port}; absent when the target restricts no port, present and empty
 *     when its restriction cannot be met (a missing TCPRoute fails closed)
 * @param routes matches of all HTTPRouteGroups; absent when the target names none, so that any protocol may pass; present and
 *     empty when none of the named ones exists
 */
public record Grant(
        String target, List<SpiffeId> sources, Optional<List<Integer>> ports, Optional<List<HttpMatch>> routes) {
    public Grant {
        requireNonNull(target, "target");
        sources = List.copyOf(sources);
        ports = ports.map(List::copyOf);
        routes = routes.map(List::copyOf);
    }
}

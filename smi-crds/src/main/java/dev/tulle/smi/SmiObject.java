package dev.tulle.smi;

/** One SMI object in its canonical version. */
public sealed interface SmiObject permits TrafficSplit, TrafficTarget, HTTPRouteGroup, TCPRoute, UDPRoute {
    /** Who it is. */
    SmiMetadata metadata();

    /** What it is. */
    SmiKind kind();
}

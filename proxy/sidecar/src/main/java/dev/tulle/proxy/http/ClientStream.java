package dev.tulle.proxy.http;

/** The client's end of a stream, opened with the head of its request. */
public interface ClientStream extends StreamEnd {}

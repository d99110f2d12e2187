/**
 * HTTP without a protocol: one model of requests, answers and streams, and the HTTP/1.1 and HTTP/2 connections that speak it.
 *
 * <p>A codec parses bytes once into a {@link dev.tulle.proxy.http.RequestHead} or {@link dev.tulle.proxy.http.ResponseHead} without
 * framing and hop-by-hop fields; whoever writes the message on makes its own. {@link dev.tulle.proxy.http.StreamEnd} and
 * {@link dev.tulle.proxy.http.StreamListener} are the two halves of a stream, with back-pressure counted in bytes. Everything of one
 * connection happens on its event loop.
 */
@NullMarked
package dev.tulle.proxy.http;

import org.jspecify.annotations.NullMarked;

package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.mesh.MeshTls;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RawConnection.Said;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.RecordingOrigin.Received;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.conformance.mesh.TestAuthority;
import dev.tulle.proxy.model.Protocol;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Requests that two parsers could read in two ways, sent to the port of the application and to the public port of the callee's
 * proxy. What the application received decides, not what the proxy answered.
 *
 * <p>Source: RFC 9112, sections 3, 5, 6 and 7; RFC 9110, sections 4.2, 5, 7.2 and 7.6.
 */
class RequestSmugglingTest {
    private static final Duration BOUND = Duration.ofSeconds(5);
    private static final AtomicInteger COUNT = new AtomicInteger();

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static SidecarPair mesh;
    private static TestAuthority.Leaf strangerOfTheMesh;

    @BeforeAll
    static void start() {
        origin = new RecordingOrigin();
        mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
        strangerOfTheMesh = mesh.authority().leaf(mesh.authority().identity("shop", "thief"));
    }

    @AfterAll
    static void stop() {
        if (mesh != null) {
            mesh.close();
        }
        origin.close();
    }

    /** A way in. */
    private enum Entrance {
        OUTBOUND,
        INBOUND;

        RawConnection connect() throws IOException {
            return this == OUTBOUND
                    ? RawConnection.to(mesh.outboundPort())
                    : RawConnection.over(MeshTls.dial(mesh.inboundPort(), Optional.of(strangerOfTheMesh), "http/1.1"));
        }
    }

    /** {@code TARGET} in the bytes stands for a path that no other case uses. */
    private record Case(String name, String bytes) {}

    private static Case head(String name, String fields) {
        return new Case(name, "POST TARGET HTTP/1.1\r\nhost: catalog\r\n" + fields + "\r\n");
    }

    private static Case line(String name, String line) {
        return new Case(name, line + "\r\nhost: catalog\r\n\r\n");
    }

    private static Case chunked(String name, String body) {
        return new Case(name, "POST TARGET HTTP/1.1\r\nhost: catalog\r\ntransfer-encoding: chunked\r\n\r\n" + body);
    }

    /** Refused before the application hears of them. */
    private static final List<Case> REFUSED_WITHOUT_A_WORD_TO_THE_APPLICATION = List.of(
            head("content-length and transfer-encoding", "content-length: 4\r\ntransfer-encoding: chunked\r\n"),
            head("transfer-encoding and content-length", "transfer-encoding: chunked\r\ncontent-length: 4\r\n"),
            head("two different content-lengths", "content-length: 0\r\ncontent-length: 44\r\n"),
            head("two equal content-lengths", "content-length: 0\r\ncontent-length: 0\r\n"),
            head("a list of content-lengths", "content-length: 0, 0\r\n"),
            head("a content-length with a sign", "content-length: +0\r\n"),
            head("a negative content-length", "content-length: -1\r\n"),
            head("a hexadecimal content-length", "content-length: 0x0\r\n"),
            head("a content-length with a space inside", "content-length: 0 0\r\n"),
            head("an empty content-length", "content-length:\r\n"),
            head("a content-length of 19 digits", "content-length: 0000000000000000000\r\n"),
            head("a content-length beyond a long", "content-length: 99999999999999999999\r\n"),
            head("an unknown transfer-encoding", "transfer-encoding: xchunked\r\n"),
            head("identity as transfer-encoding", "transfer-encoding: identity\r\n"),
            head("two codings in one line", "transfer-encoding: gzip, chunked\r\n"),
            head("chunked twice in one line", "transfer-encoding: chunked, chunked\r\n"),
            head("two transfer-encoding lines", "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
            head("a second transfer-encoding that is odd", "transfer-encoding: chunked\r\ntransfer-encoding: cow\r\n"),
            head("a vertical tab after chunked", "transfer-encoding: chunked\u000b\r\n"),
            head("a quoted transfer-encoding", "transfer-encoding: \"chunked\"\r\n"),
            head("a parameter on chunked", "transfer-encoding: chunked;a=b\r\n"),
            head("an empty transfer-encoding", "transfer-encoding:\r\n"),
            head("a comma after chunked", "transfer-encoding: chunked,\r\n"),
            head("a comma before chunked", "transfer-encoding: ,chunked\r\n"),
            head("chunked and identity", "transfer-encoding: chunked, identity\r\n"),
            head("a no-break space before chunked", "transfer-encoding: \u00a0chunked\r\n"),
            head("a NUL after chunked", "transfer-encoding: chunked\u0000\r\n"),
            head("a NUL in the name of transfer-encoding", "transfer-encoding\u0000: chunked\r\n"),
            head("a CR before the colon of transfer-encoding", "transfer-encoding\r: chunked\r\n"),
            head("a CR after chunked", "transfer-encoding: chunked\r\r\n"),
            head("an LF before transfer-encoding", "x-a: b\r\n\ntransfer-encoding: chunked\r\n"),
            head("a form feed after a content-length", "content-length: 0\f\r\n"),
            head("a content-length with an exponent", "content-length: 0e1\r\n"),
            head("a content-length with an underscore", "content-length: 0_0\r\n"),
            head("a content-length with a comma", "content-length: 0,\r\n"),
            head("a content-length with a point", "content-length: 0.0\r\n"),
            head("a content-length in quotes", "content-length: \"0\"\r\n"),
            head("a content-length in other digits", "content-length: \u00d9\u00a0\r\n"),
            head("a content-length on a folded line", "content-length:\r\n 0\r\n"),
            head("a content-length beside another of another case", "content-length: 0\r\nCONTENT-LENGTH: 4\r\n"),
            head("an expectation nobody knows", "expect: 200-ok\r\n"),
            head("a second expectation nobody knows", "expect: 100-continue\r\nexpect: 200-ok\r\n"),
            head("a Connection that is no list of names", "connection: close; x\r\n"),
            head("a Connection that names Transfer-Encoding", "connection: transfer-encoding\r\n"),
            head("a Connection that names an identity in underscores", "connection: x_forwarded_client_cert\r\n"),
            head("a space before the colon", "transfer-encoding : chunked\r\n"),
            head("a tab before the colon", "content-length\t: 0\r\n"),
            head("a folded line", "x-a: b\r\n c: d\r\n"),
            head("a folded transfer-encoding", "transfer-encoding:\r\n chunked\r\n"),
            new Case("a space before the first field", "GET TARGET HTTP/1.1\r\n host: catalog\r\n\r\n"),
            head("a bare CR in a value", "x-a: b\rcontent-length: 4\r\n"),
            head("a bare LF between fields", "x-a: b\ncontent-length: 4\r\n"),
            head("a NUL in a value", "x-a: b\u0000c\r\n"),
            head("a control character in a value", "x-a: b\u0001c\r\n"),
            head("a DEL in a value", "x-a: b\u007fc\r\n"),
            head("a control character in a name", "x-\u0001a: b\r\n"),
            head("a NUL in a name", "x-\u0000a: b\r\n"),
            head("a name beyond ASCII", "x-\u00e4: b\r\n"),
            head("a name with a separator", "x(a: b\r\n"),
            head("a field without colon", "x-a\r\n"),
            head("an empty name", ": b\r\n"),
            new Case("only bare LFs", "GET TARGET HTTP/1.1\nhost: catalog\n\n"),
            new Case("no host", "GET TARGET HTTP/1.1\r\n\r\n"),
            new Case("two hosts", "GET TARGET HTTP/1.1\r\nhost: catalog\r\nhost: catalog\r\n\r\n"),
            new Case("two different hosts", "GET TARGET HTTP/1.1\r\nhost: catalog\r\nhost: admin\r\n\r\n"),
            new Case("a host with a path", "GET TARGET HTTP/1.1\r\nhost: catalog/admin\r\n\r\n"),
            new Case("a host with a user", "GET TARGET HTTP/1.1\r\nhost: a@catalog\r\n\r\n"),
            new Case("a host with a space", "GET TARGET HTTP/1.1\r\nhost: catalog admin\r\n\r\n"),
            new Case("a list of hosts", "GET TARGET HTTP/1.1\r\nhost: catalog, admin\r\n\r\n"),
            new Case("a host with an odd port", "GET TARGET HTTP/1.1\r\nhost: catalog:8o\r\n\r\n"),
            new Case("a host with a port beyond all ports", "GET TARGET HTTP/1.1\r\nhost: catalog:65536\r\n\r\n"),
            new Case("a host with two ports", "GET TARGET HTTP/1.1\r\nhost: catalog:80:80\r\n\r\n"),
            new Case("a host with a negative port", "GET TARGET HTTP/1.1\r\nhost: catalog:-1\r\n\r\n"),
            new Case("an empty host", "GET TARGET HTTP/1.1\r\nhost:\r\n\r\n"),
            new Case("a blank host", "GET TARGET HTTP/1.1\r\nhost: \t \r\n\r\n"),
            new Case("a host that is a port", "GET TARGET HTTP/1.1\r\nhost: :80\r\n\r\n"),
            new Case("a host that is a URI", "GET TARGET HTTP/1.1\r\nhost: http://catalog\r\n\r\n"),
            new Case("a host with an escape", "GET TARGET HTTP/1.1\r\nhost: catalog%00\r\n\r\n"),
            new Case("a host with a backslash", "GET TARGET HTTP/1.1\r\nhost: catalog\\admin\r\n\r\n"),
            new Case("a host with a query", "GET TARGET HTTP/1.1\r\nhost: catalog?admin\r\n\r\n"),
            new Case("a host with a fragment", "GET TARGET HTTP/1.1\r\nhost: catalog#admin\r\n\r\n"),
            new Case("a host beyond ASCII", "GET TARGET HTTP/1.1\r\nhost: catal\u00f6g\r\n\r\n"),
            new Case("an open bracket in the host", "GET TARGET HTTP/1.1\r\nhost: [::1\r\n\r\n"),
            new Case("a name in the brackets of a host", "GET TARGET HTTP/1.1\r\nhost: [catalog]\r\n\r\n"),
            new Case("a folded host", "GET TARGET HTTP/1.1\r\nhost: catalog\r\n .admin\r\n\r\n"),
            new Case("a host behind a space", "GET TARGET HTTP/1.1\r\nx-a: b\r\n host: admin\r\nhost: catalog\r\n\r\n"),
            new Case("HTTP/1.0 without host", "GET TARGET HTTP/1.0\r\n\r\n"),
            new Case("an absolute target without a Host", "GET http://catalogTARGET HTTP/1.1\r\n\r\n"),
            new Case(
                    "an absolute target and two hosts",
                    "GET http://catalogTARGET HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"),
            line("version 0.9", "GET TARGET"),
            line("version 2.0", "GET TARGET HTTP/2.0"),
            line("version 1.2", "GET TARGET HTTP/1.2"),
            line("version 1.10", "GET TARGET HTTP/1.10"),
            line("lower-case version", "GET TARGET http/1.1"),
            line("something after the version", "GET TARGET HTTP/1.1 x"),
            line("a space after the version", "GET TARGET HTTP/1.1 "),
            line("a version with a zero before it", "GET TARGET HTTP/01.1"),
            line("a version without a minor number", "GET TARGET HTTP/1"),
            line("a version with a comma", "GET TARGET HTTP/1,1"),
            line("a space in the version", "GET TARGET HTTP /1.1"),
            line("version 3", "GET TARGET HTTP/3.0"),
            line("another protocol", "GET TARGET RTSP/1.0"),
            line("an ICY protocol", "GET TARGET ICY/1.1"),
            line("a space before the method", " GET TARGET HTTP/1.1"),
            line("a CR before the method", "\rGET TARGET HTTP/1.1"),
            line("an LF before the method", "\nGET TARGET HTTP/1.1"),
            line("two empty lines before the method", "\r\n\r\nGET TARGET HTTP/1.1"),
            line("a byte order mark", "\u00ef\u00bb\u00bfGET TARGET HTTP/1.1"),
            line("a CR in the target", "GET TARGET\r/b HTTP/1.1"),
            line("a vertical tab for a space", "GET\u000bTARGET HTTP/1.1"),
            line("a form feed in the target", "GET TARGET\f HTTP/1.1"),
            line("a no-break space in the line", "GET\u00a0TARGET HTTP/1.1"),
            line("a method of 100 letters", "G".repeat(100) + " TARGET HTTP/1.1"),
            line("bytes beyond ASCII in the target", "GET TARGET\u00c3\u00a4 HTTP/1.1"),
            line("TRACE", "TRACE TARGET HTTP/1.1"),
            line("an authority as target", "GET catalog:80 HTTP/1.1"),
            line("an asterisk and a path", "OPTIONS *TARGET HTTP/1.1"),
            line("an absolute target with a port beyond all ports", "GET http://catalog:65536TARGET HTTP/1.1"),
            line("an absolute target with two ports", "GET http://catalog:80:80TARGET HTTP/1.1"),
            line("an absolute target with a backslash", "GET http://catalog\\@adminTARGET HTTP/1.1"),
            line("an absolute target with one slash", "GET http:/catalogTARGET HTTP/1.1"),
            line("an absolute target with three slashes", "GET http:///catalogTARGET HTTP/1.1"),
            line("an absolute target of WebSocket", "GET ws://catalogTARGET HTTP/1.1"),
            line("a mail address as target", "GET mailto:a@catalog HTTP/1.1"),
            new Case("CONNECT to a path", "CONNECT TARGET HTTP/1.1\r\nhost: catalog\r\n\r\n"),
            new Case(
                    "the preface of HTTP/2 behind a request that is refused",
                    "GET TARGET HTTP/1.2\r\nhost: catalog\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            head("an empty name beside good ones", "x-a: b\r\n: c\r\nx-d: e\r\n"),
            head("a name of spaces", "   : b\r\n"),
            head("a quoted name", "\"x-a\": b\r\n"),
            head("a semicolon for the colon", "x-a; b\r\n"),
            head("a bare CR at the end of a line", "x-a: b\r\r\n"),
            head("a field after a line of spaces", " \r\nx-a: b\r\n"),
            head("a folded line with a tab", "x-a: b\r\n\tc\r\n"),
            head("10,000 small fields", "a:b\r\n".repeat(10_000)),
            head("a cookie of 9 KiB", "cookie: a=" + "b".repeat(9 * 1024) + "\r\n"),
            line("two spaces", "GET  TARGET HTTP/1.1"),
            line("a tab for a space", "GET\tTARGET HTTP/1.1"),
            line("a space in the target", "GET TARGET /b HTTP/1.1"),
            line("a method that is not a token", "G(T TARGET HTTP/1.1"),
            line("a relative target", "GET xTARGET HTTP/1.1"),
            line("an asterisk outside OPTIONS", "GET * HTTP/1.1"),
            line("an absolute target without host", "GET http://TARGET HTTP/1.1"),
            line("an absolute target of another scheme", "GET ftp://catalogTARGET HTTP/1.1"),
            line("an absolute target with a user", "GET http://a@catalogTARGET HTTP/1.1"),
            line("a fragment in the target", "GET TARGET#/admin HTTP/1.1"),
            line("a NUL in the target", "GET TARGET\u0000 HTTP/1.1"),
            new Case("CONNECT", "CONNECT catalog:80 HTTP/1.1\r\nhost: catalog:80\r\n\r\n"),
            new Case("a control character before the request", "\u0001GET TARGET HTTP/1.1\r\nhost: catalog\r\n\r\n"),
            new Case(
                    "chunked in HTTP/1.0",
                    "POST TARGET HTTP/1.0\r\nhost: catalog\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            head("a Connection that names Host", "connection: host\r\n"),
            head(
                    "a Connection that names Content-Length",
                    "connection: close, content-length\r\ncontent-length: 0\r\n"),
            head("a Connection that names the caller's certificate", "connection: x-forwarded-client-cert\r\n"),
            head("101 fields", "x-a: b\r\n".repeat(101)),
            head("a field of 9 KiB", "x-a: " + "b".repeat(9 * 1024) + "\r\n"),
            head("40 KiB of fields", ("x-a: " + "b".repeat(4000) + "\r\n").repeat(10)),
            line("a request line of 9 KiB", "GET TARGET?" + "a".repeat(9 * 1024) + " HTTP/1.1"));

    /** Cleanly framed, but of a path that could be read in two ways: refused, and the connection may go on. */
    private static final List<Case> REFUSED_PATHS = List.of(
            line("a backslash in the target", "GET TARGET\\..\\admin HTTP/1.1"),
            line("an encoded NUL", "GET TARGET%00 HTTP/1.1"),
            line("a broken encoding", "GET TARGET%zz HTTP/1.1"),
            line("an overlong encoding", "GET TARGET%c0%ae%c0%ae/admin HTTP/1.1"),
            line("a second encoding of a dot", "GET TARGET/%252e%252e/admin HTTP/1.1"),
            line("an encoding of Microsoft's", "GET TARGET%u002e HTTP/1.1"),
            line("a parameter on a dot segment", "GET TARGET/..;x=1/admin HTTP/1.1"),
            line("an encoding beyond UTF-8", "GET TARGET%ff HTTP/1.1"),
            line("an encoded slash", "GET TARGET/..%2fadmin HTTP/1.1"),
            line("an encoded backslash", "GET TARGET/..%5cadmin HTTP/1.1"),
            line("an encoded line end", "GET TARGET%0d%0ax-a:%20b HTTP/1.1"),
            line("an encoded DEL", "GET TARGET%7f HTTP/1.1"),
            line("half an encoding", "GET TARGET%2 HTTP/1.1"),
            line("a percent sign at the end", "GET TARGET% HTTP/1.1"),
            line("a third encoding of a dot", "GET TARGET/%25252e%25252e/admin HTTP/1.1"),
            line("a second encoding of a slash", "GET TARGET/..%252fadmin HTTP/1.1"),
            line("a dot and an encoded semicolon", "GET TARGET/..%3b/admin HTTP/1.1"),
            line("an overlong slash", "GET TARGET/..%c0%afadmin HTTP/1.1"),
            line("an overlong slash of three bytes", "GET TARGET/..%e0%80%afadmin HTTP/1.1"),
            line("an encoded surrogate", "GET TARGET%ed%a0%80 HTTP/1.1"),
            line("a path beyond 8 KiB once spelt out", "GET TARGET" + "\u00e4".repeat(3000) + " HTTP/1.1"));

    /** The head is fine, the body is not: the application may have seen its beginning, never its end. */
    private static final List<Case> CUT_BEFORE_THE_END = List.of(
            chunked("a chunk size with a prefix", "0x1\r\na\r\n0\r\n\r\n"),
            chunked("a chunk size with a sign", "+1\r\na\r\n0\r\n\r\n"),
            chunked("a negative chunk size", "-1\r\na\r\n0\r\n\r\n"),
            chunked("an empty chunk size", "\r\na\r\n0\r\n\r\n"),
            chunked("a chunk size with a space before it", " 1\r\na\r\n0\r\n\r\n"),
            chunked("a chunk size that overflows", "10000000000000001\r\na\r\n0\r\n\r\n"),
            chunked("a chunk size of 100 digits", "0".repeat(99) + "1\r\na\r\n0\r\n\r\n"),
            chunked("an LF that ends a chunk extension", "1;a\na\r\n0\r\n\r\n"),
            chunked("an LF that ends a chunk size", "1\na\r\n0\r\n\r\n"),
            chunked("a CR inside a chunk extension", "1;a\rb\r\na\r\n0\r\n\r\n"),
            chunked("a quoted chunk extension with a line end", "1;a=\"\r\na\r\n0\r\n\r\n\"\r\n"),
            chunked("a long chunk extension", "1;" + "a".repeat(100) + "\r\na\r\n0\r\n\r\n"),
            chunked("no line end after the data", "1\r\naa\r\n0\r\n\r\n"),
            chunked("a space after a chunk size", "1 \r\na\r\n0\r\n\r\n"),
            chunked("a tab after a chunk size", "1\t\r\na\r\n0\r\n\r\n"),
            chunked("two CRs after a chunk size", "1\r\r\na\r\n0\r\n\r\n"),
            chunked("a chunk size that is no number", "x\r\na\r\n0\r\n\r\n"),
            chunked("a chunk size with an underscore", "0_1\r\na\r\n0\r\n\r\n"),
            chunked("a chunk size with a comma", "1,1\r\na\r\n0\r\n\r\n"),
            chunked("a chunk size in wide digits", "\u00ef\u00bc\u0091\r\na\r\n0\r\n\r\n"),
            chunked("a chunk size that becomes negative", "8000000000000000\r\na\r\n0\r\n\r\n"),
            chunked("a NUL in a chunk extension", "1;a\u0000b\r\na\r\n0\r\n\r\n"),
            chunked("a chunk extension without semicolon", "1 a=b\r\na\r\n0\r\n\r\n"),
            chunked("an LF for the line end of the last chunk", "1\r\na\r\n0\n\r\n"),
            chunked("an LF for the empty line", "1\r\na\r\n0\r\n\n"),
            chunked("a CR alone for the empty line", "1\r\na\r\n0\r\n\rX"),
            chunked("a trailer with a bare CR", "0\r\nx-a: b\rc\r\n\r\n"),
            chunked("a trailer with a bare LF", "0\r\nx-a: b\nx-c: d\r\n\r\n"),
            chunked("a folded trailer", "0\r\nx-a: b\r\n c\r\n\r\n"),
            chunked("a trailer with an empty name", "0\r\n: b\r\n\r\n"),
            chunked(
                    "a request where the line end of a chunk should be",
                    "1\r\naGET /smuggledTARGET HTTP/1.1\r\nhost: catalog\r\n\r\n0\r\n\r\n"),
            chunked("an LF after the data", "1\r\na\n0\r\n\r\n"),
            chunked("a trailer without colon", "0\r\nnonsense\r\n\r\n"),
            chunked("a trailer with a space before the colon", "0\r\nx-a : b\r\n\r\n"),
            chunked("33 trailers", "0\r\n" + "x-a: b\r\n".repeat(33) + "\r\n"),
            chunked("9 KiB of trailers", "0\r\nx-a: " + "b".repeat(9 * 1024) + "\r\n\r\n"));

    /**
     * Odd, but only one reading is right.
     *
     * @param line the request line that the application must see
     * @param fields every field it must see but Host's own and the verified identity, in order
     */
    private record Served(String name, String bytes, String line, String host, List<String> fields, String body) {}

    private static Served get(String name, String bytes, String line, String... fields) {
        return new Served(name, bytes, line, "catalog", List.of(fields), "");
    }

    private static final String LOOKS_LIKE_A_REQUEST = "GET /smuggled HTTP/1.1\r\nhost: catalog\r\n\r\n";

    private static final String CHUNKED = "transfer-encoding: chunked";

    private static final List<Served> SERVED = List.of(
            get("an empty line before the request", "\r\nGET TARGET HTTP/1.1\r\nhost: catalog\r\n\r\n", "GET TARGET"),
            get("HTTP/1.0", "GET TARGET HTTP/1.0\r\nhost: catalog\r\n\r\n", "GET TARGET"),
            get("names in any case", "GET TARGET HTTP/1.1\r\nHoSt: catalog\r\nX-a:b\r\n\r\n", "GET TARGET", "x-a: b"),
            get(
                    "white space around a value",
                    "GET TARGET HTTP/1.1\r\nhost:\t catalog \r\nx-a: \t b c\t \r\n\r\n",
                    "GET TARGET",
                    "x-a: b c"),
            get("a method in lower case", "get TARGET HTTP/1.1\r\nhost: catalog\r\n\r\n", "get TARGET"),
            get(
                    "fields repeated",
                    "GET TARGET HTTP/1.1\r\nhost: catalog\r\nx-a: 1\r\nx-a: 2\r\n\r\n",
                    "GET TARGET",
                    "x-a: 1",
                    "x-a: 2"),
            get(
                    "underscores for hyphens in framing",
                    "POST TARGET HTTP/1.1\r\nhost: catalog\r\ntransfer_encoding: chunked\r\ncontent_length: 5\r\n\r\n",
                    "POST TARGET",
                    "content-length: 0"),
            get(
                    "an absolute target with another Host",
                    "GET http://catalogTARGET HTTP/1.1\r\nhost: admin\r\n\r\n",
                    "GET TARGET"),
            get(
                    "an absolute target in capitals",
                    "GET HTTP://CATALOGTARGET HTTP/1.1\r\nhost: catalog\r\n\r\n",
                    "GET TARGET"),
            get(
                    "an absolute target of https",
                    "GET https://catalogTARGET HTTP/1.1\r\nhost: catalog\r\n\r\n",
                    "GET TARGET"),
            get("a network path", "GET /TARGET HTTP/1.1\r\nhost: catalog\r\n\r\n", "GET TARGET"),
            get(
                    "a network path that looks like an authority",
                    "GET //admin@evilTARGET HTTP/1.1\r\nhost: catalog\r\n\r\n",
                    "GET /admin@evilTARGET"),
            get("dot segments above the root", "GET /../../..TARGET HTTP/1.1\r\nhost: catalog\r\n\r\n", "GET TARGET"),
            get(
                    "encoded dot segments",
                    "GET /x/%2E%2e/.%2E/x/..TARGET HTTP/1.1\r\nhost: catalog\r\n\r\n",
                    "GET TARGET"),
            get(
                    "the question mark within a query",
                    "GET TARGET?a=?../..//%2f%5c\\ HTTP/1.1\r\nhost: catalog\r\n\r\n",
                    "GET TARGET?a=?../..//%2f%5c\\"),
            get(
                    "an upgrade to a protocol other than WebSocket",
                    "GET TARGET HTTP/1.1\r\nhost: catalog\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n",
                    "GET TARGET"),
            get(
                    "an upgrade to TLS",
                    "OPTIONS TARGET HTTP/1.1\r\nhost: catalog\r\nconnection: upgrade\r\nupgrade: TLS/1.0\r\n\r\n",
                    "OPTIONS TARGET"),
            get(
                    "WebSocket without Connection",
                    "GET TARGET HTTP/1.1\r\nhost: catalog\r\nupgrade: websocket\r\nsec-websocket-key: a\r\n\r\n",
                    "GET TARGET",
                    "sec-websocket-key: a"),
            get(
                    "WebSocket by POST",
                    "POST TARGET HTTP/1.1\r\nhost: catalog\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
                    "POST TARGET",
                    "content-length: 0"),
            get(
                    "two protocols to upgrade to",
                    "GET TARGET HTTP/1.1\r\nhost: catalog\r\nconnection: upgrade\r\nupgrade: websocket\r\nupgrade: h2c\r\n\r\n",
                    "GET TARGET"),
            get(
                    "TE with more than trailers",
                    "GET TARGET HTTP/1.1\r\nhost: catalog\r\nconnection: te\r\nte: gzip;q=1, x\r\n\r\n",
                    "GET TARGET"),
            get(
                    "fields that Connection names",
                    "GET TARGET HTTP/1.1\r\nhost: catalog\r\nx-a: 1\r\nx-b: 2\r\nconnection: x-a\r\nConnection: X-B, keep-alive\r\nkeep-alive: max=5\r\n\r\n",
                    "GET TARGET"),
            get(
                    "a query that looks like a version",
                    "GET TARGET?HTTP/1.1 HTTP/1.1\r\nhost: catalog\r\n\r\n",
                    "GET TARGET?HTTP/1.1"),
            new Served(
                    "the Host of a service in capitals with a point and a port",
                    "GET TARGET HTTP/1.1\r\nhost: CATALOG.:080\r\n\r\n",
                    "GET TARGET",
                    "catalog.:080",
                    List.of(),
                    ""),
            new Served(
                    "an IPv6 address as Host",
                    "GET TARGET HTTP/1.1\r\nhost: [::1]:80\r\n\r\n",
                    "GET TARGET",
                    "[::1]:80",
                    List.of(),
                    ""),
            new Served(
                    "a GET with a body that looks like a request",
                    "GET TARGET HTTP/1.1\r\nhost: catalog\r\ncontent-length: 41\r\n\r\n" + LOOKS_LIKE_A_REQUEST,
                    "GET TARGET",
                    "catalog",
                    List.of("content-length: 41"),
                    LOOKS_LIKE_A_REQUEST),
            new Served(
                    "a content-length with zeros before it",
                    "POST TARGET HTTP/1.1\r\nhost: catalog\r\ncontent-length: 000000000000000005\r\n\r\nhello",
                    "POST TARGET",
                    "catalog",
                    List.of("content-length: 5"),
                    "hello"),
            new Served(
                    "chunked in capitals behind a tab",
                    "POST TARGET HTTP/1.1\r\nhost: catalog\r\nTRANSFER-ENCODING:\tChunKed \r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                    "POST TARGET",
                    "catalog",
                    List.of(CHUNKED),
                    "hello"),
            new Served(
                    "chunk sizes with zeros and capitals",
                    "POST TARGET HTTP/1.1\r\nhost: catalog\r\ntransfer-encoding: chunked\r\n\r\n00000000000000A\r\nhellohello\r\n000\r\n\r\n",
                    "POST TARGET",
                    "catalog",
                    List.of(CHUNKED),
                    "hellohello"),
            new Served(
                    "chunk extensions",
                    "POST TARGET HTTP/1.1\r\nhost: catalog\r\ntransfer-encoding: chunked\r\n\r\n5;a=b;c\r\nhello\r\n0;d\r\n\r\n",
                    "POST TARGET",
                    "catalog",
                    List.of(CHUNKED),
                    "hello"),
            new Served(
                    "trailers that would be a head",
                    "POST TARGET HTTP/1.1\r\nhost: catalog\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nhost: admin\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\nauthorization: x\r\nx-forwarded-client-cert: URI=spiffe://a\r\nx-a: b\r\n\r\n",
                    "POST TARGET",
                    "catalog",
                    List.of(CHUNKED),
                    "hello"),
            new Served(
                    "a body in chunks that looks like a request",
                    "POST TARGET HTTP/1.1\r\nhost: catalog\r\ntransfer-encoding: chunked\r\n\r\n29\r\n"
                            + LOOKS_LIKE_A_REQUEST + "\r\n0\r\n\r\n",
                    "POST TARGET",
                    "catalog",
                    List.of(CHUNKED),
                    LOOKS_LIKE_A_REQUEST));

    @TestFactory
    Stream<DynamicTest> passesOnWhatIsOddButClearExactlyOnceAndInItsOwnWords() {
        return Stream.of(Entrance.values())
                .flatMap(entrance -> SERVED.stream()
                        .map(one -> DynamicTest.dynamicTest(entrance + ": " + one.name(), () -> {
                            // Given
                            String target = newTarget();
                            int before = origin.received().size();
                            // When
                            Said said;
                            try (RawConnection connection = entrance.connect()) {
                                connection.send(one.bytes().replace("TARGET", target));
                                said = connection.readUntil(
                                        BOUND, text -> text.contains("\r\n\r\n/") || text.startsWith("HTTP/1.1 4"));
                            }
                            // Then
                            assertThat(said.status()).as(said.text()).isEqualTo(200);
                            List<Received> all = origin.received();
                            assertThat(all.subList(before, all.size()))
                                    .singleElement()
                                    .satisfies(request -> {
                                        assertThat(request.line())
                                                .isEqualTo(one.line().replace("TARGET", target) + " HTTP/1.1");
                                        assertThat(request.values("host")).containsExactly(one.host());
                                        assertThat(
                                                        request.fields().stream()
                                                                .filter(
                                                                        field -> !field.startsWith("host:")
                                                                                && !field.startsWith(
                                                                                        "x-forwarded-client-cert: By=spiffe://cluster.local/ns/shop/sa/catalog;URI=spiffe://cluster.local/ns/shop/sa/")))
                                                .containsExactlyElementsOf(one.fields());
                                        assertThat(request.body()).isEqualTo(one.body());
                                    });
                        })));
    }

    @TestFactory
    Stream<DynamicTest> refusesWhatTwoParsersCouldReadDifferently() {
        return each(REFUSED_WITHOUT_A_WORD_TO_THE_APPLICATION, (entrance, bytes, target) -> {
            // When
            Said said = exchange(entrance, bytes + smuggled(target));
            // Then
            assertThat(said.status()).as(said.text()).isBetween(400, 505);
            assertThat(said.answers()).as(said.text()).isEqualTo(1);
            assertThat(said.closed()).as("closed after: " + said.text()).isTrue();
            assertThat(heard(target)).isEmpty();
            assertThat(origin.cut()).noneMatch(request -> request.target().contains(target));
        });
    }

    @TestFactory
    Stream<DynamicTest> refusesPathsThatCanBeReadInTwoWays() {
        return each(REFUSED_PATHS, (entrance, bytes, target) -> {
            // When
            Said said = exchange(entrance, bytes.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
            // Then
            assertThat(said.status()).as(said.text()).isEqualTo(400);
            assertThat(heard(target)).isEmpty();
        });
    }

    @TestFactory
    Stream<DynamicTest> neverEndsABrokenBodyForTheApplication() {
        return each(CUT_BEFORE_THE_END, (entrance, bytes, target) -> {
            // When
            Said said = exchange(entrance, bytes + smuggled(target));
            // Then
            assertThat(said.answers()).as(said.text()).isLessThanOrEqualTo(1);
            assertThat(said.status() / 100).as(said.text()).isNotEqualTo(2);
            assertThat(said.closed()).as("closed after: " + said.text()).isTrue();
            assertThat(heard(target)).isEmpty();
        });
    }

    @Test
    void judgesAndForwardsTheSameNormalisedPath() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            String target = newTarget();
            exchange(entrance, request("GET /x/../." + target + "//a/%2e/%62?q=/../%41#".replace("#", "")));
            assertThat(heard(target + "/a/b?q=/../%41")).hasSize(1);
        }
    }

    @Test
    void neverPassesOnWhatIsBetweenTwoNeighboursOnly() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            // Given
            String target = newTarget();
            // When
            exchange(
                    entrance,
                    "GET " + target
                            + " HTTP/1.1\r\nhost: catalog\r\nconnection: close, x-hop, upgrade, http2-settings\r\nx-hop: 1\r\n"
                            + "keep-alive: timeout=5\r\nproxy-connection: keep-alive\r\nte: gzip\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n");
            // Then
            assertThat(heard(target)).singleElement().satisfies(request -> {
                for (String name :
                        List.of("x-hop", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings")) {
                    assertThat(request.values(name)).as(name).isEmpty();
                }
            });
        }
    }

    @Test
    void neverBelievesACallerAboutItsOwnIdentity() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            // Given
            String target = newTarget();
            String lie = "By=x;URI=spiffe://cluster.local/ns/shop/sa/admin";
            // When
            exchange(
                    entrance,
                    "GET " + target + " HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\nX-Forwarded-Client-Cert: "
                            + lie + "\r\nx_forwarded_client_cert: " + lie + "\r\nx-forwarded_client-cert: " + lie
                            + "\r\n\r\n");
            // Then
            assertThat(origin.received(target).stream().flatMap(request -> request.fields().stream()))
                    .noneMatch(field -> field.contains("sa/admin"));
        }
    }

    @Test
    void passesABodyOnExactlyOnceHoweverItIsFramed() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            String sized = newTarget();
            String chunked = newTarget();
            exchange(
                    entrance,
                    "POST " + sized
                            + " HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello");
            exchange(
                    entrance,
                    "POST " + chunked
                            + " HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2;ext=1\r\nhe\r\n3\r\nllo\r\n0\r\nx-trailer: 1\r\n\r\n");
            assertThat(heard(sized)).extracting(Received::body).containsExactly("hello");
            assertThat(heard(chunked)).extracting(Received::body).containsExactly("hello");
            assertThat(heard(chunked).getFirst().values("content-length")).isEmpty();
        }
    }

    @Test
    void answersPipelinedRequestsInTheirOrder() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            String first = newTarget();
            String second = newTarget();
            String third = newTarget();
            Said said = exchange(
                    entrance,
                    "GET " + first + " HTTP/1.1\r\nhost: catalog\r\n\r\nGET " + second
                            + " HTTP/1.1\r\nhost: catalog\r\n\r\n" + request("GET " + third));
            assertThat(said.answers()).as(said.text()).isEqualTo(3);
            assertThat(said.text()).containsSubsequence(first, second, third);
        }
    }

    private interface Attempt {
        void make(Entrance entrance, String bytes, String target) throws IOException;
    }

    /** Runs every case by both entrances; after each one the same proxies must still serve an ordinary request. */
    private static Stream<DynamicTest> each(List<Case> cases, Attempt attempt) {
        return Stream.of(Entrance.values())
                .flatMap(entrance -> cases.stream()
                        .map(one -> DynamicTest.dynamicTest(entrance + ": " + one.name(), () -> {
                            String target = newTarget();
                            attempt.make(entrance, one.bytes().replace("TARGET", target), target);
                            assertThat(origin.received("/smuggled" + target)).isEmpty();
                            String after = newTarget();
                            assertThat(exchange(entrance, request("GET " + after))
                                            .text())
                                    .endsWith("\r\n\r\n" + after);
                        })));
    }

    /** What follows each attempt in the same bytes. */
    private static String smuggled(String target) {
        return "GET /smuggled%s HTTP/1.1\r\nhost: catalog\r\n\r\n".formatted(target);
    }

    private static String request(String methodAndTarget) {
        return methodAndTarget + " HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n";
    }

    private static Said exchange(Entrance entrance, String bytes) throws IOException {
        try (RawConnection connection = entrance.connect()) {
            connection.send(bytes);
            return connection.readToEnd(BOUND);
        }
    }

    private static List<Received> heard(String target) {
        return origin.received().stream()
                .filter(request ->
                        request.target().contains(target) && !request.target().startsWith("/smuggled"))
                .toList();
    }

    private static String newTarget() {
        return "/case-" + COUNT.incrementAndGet() + "-";
    }
}

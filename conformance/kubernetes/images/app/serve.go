package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// server is one application: what it calls itself, and whether it is on its way out.
type server struct {
	pod, version string
	readyAt      time.Time
	draining     atomic.Bool
}

func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	httpAddresses := flags.String("http", "", "addresses of HTTP/1.1, HTTP/2 without TLS and gRPC, with commas between them")
	httpsAddress := flags.String("https", "", "address of HTTP/1.1 and HTTP/2 with a certificate of its own")
	echoAddress := flags.String("echo", "", "address that gives every byte back")
	greetAddress := flags.String("greet", "", "address that speaks first, then gives every line back")
	udpAddress := flags.String("udp", "", "address that gives every datagram back")
	version := flags.String("version", os.Getenv("VERSION"), "a word in each answer")
	startAfter := flags.Duration("start-after", 0, "listens only then")
	readyAfter := flags.Duration("ready-after", 0, "/readyz answers 503 before")
	stopAfter := flags.Duration("stop-after", 2*time.Second, "goes on serving for so long when told to end, each answer with 'Connection: close'; a negative time ends it in the middle of everything")
	must := flags.String("must-get", "", "ends with an error unless this URL answers 200 before anything else is done")
	flags.Parse(arguments)

	stop := told()
	if *must != "" {
		if err := get([]string{*must}); err != nil {
			return fmt.Errorf("--must-get: %w", err)
		}
	}
	pod, _ := os.Hostname()
	s := &server{pod: pod, version: *version}
	time.Sleep(*startAfter)
	s.readyAt = time.Now().Add(*readyAfter)

	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	web := &http.Server{Handler: s, Protocols: &protocols, ErrorLog: log.New(os.Stderr, "", 0)}
	for _, address := range strings.Split(*httpAddresses, ",") {
		if err := listen(address, func(l net.Listener) { web.Serve(l) }); err != nil {
			return err
		}
	}
	if *httpsAddress != "" {
		certificate, err := ownCertificate()
		if err != nil {
			return err
		}
		web.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}}
		if err := listen(*httpsAddress, func(l net.Listener) { web.ServeTLS(l, "", "") }); err != nil {
			return err
		}
	}
	if err := listen(*echoAddress, each(func(c net.Conn) { io.Copy(c, c) })); err != nil {
		return err
	}
	if err := listen(*greetAddress, each(s.greet)); err != nil {
		return err
	}
	if *udpAddress != "" {
		if err := echoUDP(*udpAddress); err != nil {
			return err
		}
	}
	fmt.Printf("%s %s is up\n", s.pod, s.version)

	<-stop
	fmt.Printf("%s is told to end\n", s.pod)
	if *stopAfter < 0 {
		os.Exit(0)
	}
	s.draining.Store(true)
	time.Sleep(*stopAfter)
	last, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := web.Shutdown(last)
	fmt.Printf("%s ends\n", s.pod)
	return err
}

func listen(address string, serve func(net.Listener)) error {
	if address == "" {
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go serve(listener)
	return nil
}

func each(serve func(net.Conn)) func(net.Listener) {
	return func(listener net.Listener) {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				serve(connection)
			}()
		}
	}
}

func (s *server) greet(c net.Conn) {
	fmt.Fprintf(c, "HELLO from %s %s to %s\n", s.pod, s.version, c.RemoteAddr())
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		fmt.Fprintf(c, "%s said %s\n", s.pod, lines.Text())
	}
}

func echoUDP(address string) error {
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	go func() {
		datagram := make([]byte, 64<<10)
		for {
			n, from, err := socket.ReadFrom(datagram)
			if err != nil {
				return
			}
			socket.WriteTo(datagram[:n], from)
		}
	}()
	return nil
}

// said is what the application tells of one request, so that a test can see what arrived.
type said struct {
	Pod     string      `json:"pod"`
	Version string      `json:"version"`
	Proto   string      `json:"proto"`
	Method  string      `json:"method"`
	Host    string      `json:"host"`
	URI     string      `json:"uri"`
	Remote  string      `json:"remote"`
	Local   string      `json:"local"`
	Headers http.Header `json:"headers"`
	Body    string      `json:"body,omitempty"`
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Pod", s.pod)
	w.Header().Set("X-Version", s.version)
	if s.draining.Load() && r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
	switch path := r.URL.Path; {
	case path == "/livez" || path == "/healthz" || path == "/startupz":
		fmt.Fprintln(w, "ok")
	case path == "/readyz":
		if time.Now().Before(s.readyAt) {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	case path == "/grpc.health.v1.Health/Check":
		s.health(w, r)
	case path == "/websocket":
		s.echoWebSocket(w, r)
	case path == "/slow": // /slow?ms=100
		wait, _ := strconv.Atoi(r.URL.Query().Get("ms"))
		time.Sleep(time.Duration(wait) * time.Millisecond)
		fmt.Fprintln(w, "slept")
	case path == "/bytes": // /bytes?n=1000
		n, _ := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		io.CopyN(w, zeroes{}, n)
	case strings.HasPrefix(path, "/status/"):
		status, err := strconv.Atoi(path[len("/status/"):])
		if err != nil || status < 200 || status > 599 {
			status = http.StatusBadRequest
		}
		w.WriteHeader(status)
	case path == "/short": // for the load: an answer without ceremony
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, s.pod)
	default:
		body, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(said{s.pod, s.version, r.Proto, r.Method, r.Host, r.RequestURI, r.RemoteAddr,
			fmt.Sprint(local), r.Header, string(body)})
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// health answers grpc.health.v1.Health/Check: one message, field 1 (status) = 1 (SERVING) or 2 (NOT_SERVING).
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	status := byte(1)
	if time.Now().Before(s.readyAt) {
		status = 2
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	w.Write([]byte{0, 0, 0, 0, 2, 0x08, status})
	w.Header().Set("Grpc-Status", "0")
}

func ownCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "app"},
		DNSNames:     []string{"app"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

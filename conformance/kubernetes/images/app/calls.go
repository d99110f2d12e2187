package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// transport speaks exactly one protocol: h1 (HTTP/1.1), h2c (HTTP/2 without TLS), h2 (HTTP/2 by ALPN); https may be self-signed.
func transport(protocol string) (*http.Transport, error) {
	t := &http.Transport{
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: true},
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   1000,
		ResponseHeaderTimeout: 20 * time.Second,
		Protocols:             new(http.Protocols),
		DisableCompression:    true,
	}
	switch protocol {
	case "h1":
		t.Protocols.SetHTTP1(true)
	case "h2":
		t.Protocols.SetHTTP2(true)
	case "h2c":
		t.Protocols.SetUnencryptedHTTP2(true)
	default:
		return nil, fmt.Errorf("--protocol is h1, h2 or h2c, not %q", protocol)
	}
	return t, nil
}

// get makes one call; any status but a 2xx is an error, after the answer was printed.
func get(arguments []string) error {
	flags := flag.NewFlagSet("get", flag.ExitOnError)
	protocol := flags.String("protocol", "h1", "h1, h2 (by TLS) or h2c")
	method := flags.String("method", "GET", "")
	body := flags.String("body", "", "")
	host := flags.String("host", "", "another Host than the URL's")
	header := flags.String("header", "", "NAME: VALUE")
	within := flags.Duration("within", 10*time.Second, "")
	flags.Parse(arguments)
	t, err := transport(*protocol)
	if err != nil {
		return err
	}
	deadline, cancel := context.WithTimeout(context.Background(), *within)
	defer cancel()
	request, err := http.NewRequestWithContext(deadline, *method, flags.Arg(0), strings.NewReader(*body))
	if err != nil {
		return err
	}
	if *host != "" {
		request.Host = *host
	}
	if name, value, given := strings.Cut(*header, ":"); given {
		request.Header.Set(name, strings.TrimSpace(value))
	}
	answer, err := (&http.Client{Transport: t}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	fmt.Println(answer.Proto, answer.Status)
	answer.Header.Write(os.Stdout)
	fmt.Println()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("answered %s", answer.Status)
	}
	return nil
}

// sayTCP prints what comes until the other side ends or says no more for a while.
func sayTCP(arguments []string) error {
	flags := flag.NewFlagSet("tcp", flag.ExitOnError)
	say := flags.String("say", "", "sent with a line end; nothing is sent without it")
	lines := flags.Int("lines", 1, "how many lines are awaited")
	within := flags.Duration("within", 10*time.Second, "")
	flags.Parse(arguments)
	started := time.Now()
	connection, err := net.DialTimeout("tcp", flags.Arg(0), *within)
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(started.Add(*within))
	if *say != "" {
		fmt.Fprintln(connection, *say)
	}
	in := bufio.NewReader(connection)
	for range *lines {
		line, err := in.ReadString('\n')
		fmt.Print(line)
		if err != nil {
			return fmt.Errorf("after %s: %w", time.Since(started).Round(time.Millisecond), err)
		}
	}
	fmt.Fprintf(os.Stderr, "%d ms\n", time.Since(started).Milliseconds())
	return nil
}

func sayUDP(arguments []string) error {
	flags := flag.NewFlagSet("udp", flag.ExitOnError)
	say := flags.String("say", "hello", "")
	flags.Parse(arguments)
	socket, err := net.Dial("udp", flags.Arg(0))
	if err != nil {
		return err
	}
	defer socket.Close()
	datagram := make([]byte, 64<<10)
	for range 3 { // datagrams may be lost
		socket.Write([]byte(*say))
		socket.SetReadDeadline(time.Now().Add(2 * time.Second))
		var n int
		if n, err = socket.Read(datagram); err == nil {
			fmt.Println(string(datagram[:n]))
			return nil
		}
	}
	return err
}

// grpcHealth calls grpc.health.v1.Health/Check over HTTP/2 and prints SERVING or NOT_SERVING.
func grpcHealth(arguments []string) error {
	flags := flag.NewFlagSet("grpc", flag.ExitOnError)
	service := flags.String("service", "", "which service of the server")
	flags.Parse(arguments)
	t, err := transport("h2c")
	if err != nil {
		return err
	}
	message := []byte{}
	if *service != "" {
		message = append([]byte{0x0a, byte(len(*service))}, *service...)
	}
	frame := append([]byte{0, 0, 0, 0, byte(len(message))}, message...)
	request, err := http.NewRequest("POST", "http://"+flags.Arg(0)+"/grpc.health.v1.Health/Check", bytes.NewReader(frame))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Te", "trailers")
	answer, err := (&http.Client{Transport: t, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	status, text := answer.Trailer.Get("Grpc-Status"), answer.Trailer.Get("Grpc-Message")
	if status == "" { // an answer without a body carries them in its headers
		status, text = answer.Header.Get("Grpc-Status"), answer.Header.Get("Grpc-Message")
	}
	switch {
	case status != "0":
		return fmt.Errorf("grpc-status %s: %s (%s)", status, text, answer.Status)
	case bytes.Equal(body, []byte{0, 0, 0, 0, 2, 8, 1}):
		fmt.Println("SERVING from", answer.Header.Get("X-Pod"), answer.Header.Get("X-Version"))
		return nil
	case bytes.Equal(body, []byte{0, 0, 0, 0, 2, 8, 2}):
		return errors.New("NOT_SERVING")
	default:
		return fmt.Errorf("not a health answer: %x", body)
	}
}

func lookup(arguments []string) error {
	flags := flag.NewFlagSet("lookup", flag.ExitOnError)
	srv := flags.Bool("srv", false, "SRV records instead of addresses")
	flags.Parse(arguments)
	deadline, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if *srv {
		_, records, err := net.DefaultResolver.LookupSRV(deadline, "", "", flags.Arg(0))
		for _, record := range records {
			fmt.Printf("%s:%d\n", record.Target, record.Port)
		}
		return err
	}
	addresses, err := net.DefaultResolver.LookupHost(deadline, flags.Arg(0))
	fmt.Println(strings.Join(addresses, " "))
	return err
}

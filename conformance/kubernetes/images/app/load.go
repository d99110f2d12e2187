package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// counted is what a load prints: one JSON object.
type counted struct {
	Sent      int            `json:"sent"`
	OK        int            `json:"ok"`
	Failed    int            `json:"failed"`
	Kinds     map[string]int `json:"kinds"`    // of the failures: "status 503", "reset", "closed", "refused", "timeout", ...
	Examples  []string       `json:"examples"` // of the failures, the first ten, with the millisecond they happened in
	Versions  map[string]int `json:"versions"` // by the answers' X-Version
	Pods      map[string]int `json:"pods"`     // by the answers' X-Pod
	P50Micros int64          `json:"p50Micros"`
	P99Micros int64          `json:"p99Micros"`
	MaxMicros int64          `json:"maxMicros"`
}

// load calls at a steady rate, whatever the answers take: a request is counted from the moment it was due. A client that repeats
// nothing: each failed attempt is a failed request, also on a connection that the other side closed while it lay idle.
func load(arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	rate := flags.Float64("rate", 100, "requests a second")
	seconds := flags.Float64("seconds", 10, "for how long; a signal ends it earlier")
	connections := flags.Int("connections", 8, "how many requests may be under way, with h1 each on a connection of its own")
	protocol := flags.String("protocol", "h1", "h1 or h2c")
	method := flags.String("method", "GET", "")
	body := flags.String("body", "", "")
	fresh := flags.Bool("fresh", false, "with h1: a new connection for each request")
	within := flags.Duration("within", 10*time.Second, "what takes longer has failed")
	attended := flags.Bool("attended", false, "ends also with the standard input")
	flags.Parse(arguments)
	target, err := url.Parse(flags.Arg(0))
	if err != nil {
		return err
	}

	callers, err := callersFor(*protocol, *connections, *fresh, *within, func() (*http.Request, error) {
		return http.NewRequest(*method, target.String(), strings.NewReader(*body))
	})
	if err != nil {
		return err
	}
	result := counted{Kinds: map[string]int{}, Versions: map[string]int{}, Pods: map[string]int{}}
	var latencies []int64
	var mutex sync.Mutex
	started := time.Now()
	count := func(due time.Time, answer *http.Response, err error) {
		took := time.Since(due).Microseconds()
		mutex.Lock()
		defer mutex.Unlock()
		result.Sent++
		if err == nil && answer.StatusCode/100 != 2 {
			err = fmt.Errorf("status %d %s", answer.StatusCode, answer.Header.Get("X-Tulle-Reason"))
		}
		if err != nil {
			result.Failed++
			result.Kinds[kindOf(err)]++
			if len(result.Examples) < 10 {
				result.Examples = append(result.Examples, fmt.Sprintf("%d ms: %v", time.Since(started).Milliseconds(), err))
			}
			return
		}
		result.OK++
		result.Versions[answer.Header.Get("X-Version")]++
		result.Pods[answer.Header.Get("X-Pod")]++
		latencies = append(latencies, took)
	}

	due := make(chan time.Time, int(*rate*(*seconds))+1) // holds all: who is late does not slow the others down
	var working sync.WaitGroup
	for _, caller := range callers {
		working.Go(func() {
			for at := range due {
				answer, err := caller()
				count(at, answer, err)
			}
		})
	}
	stop := told()
	if *attended {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			stop <- os.Interrupt
		}()
	}
	interval := time.Duration(float64(time.Second) / *rate)
	for next, end := started, started.Add(time.Duration(*seconds*float64(time.Second))); next.Before(end); next = next.Add(interval) {
		select {
		case <-time.After(time.Until(next)):
			due <- next
			continue
		case <-stop:
		}
		break
	}
	close(due)
	working.Wait()
	slices.Sort(latencies)
	if n := len(latencies); n > 0 {
		result.P50Micros, result.P99Micros, result.MaxMicros = latencies[n/2], latencies[n*99/100], latencies[n-1]
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// callersFor makes one caller for each request that may be under way; a caller makes one call after the other.
func callersFor(protocol string, n int, fresh bool, within time.Duration, request func() (*http.Request, error)) ([]func() (*http.Response, error), error) {
	callers := make([]func() (*http.Response, error), n)
	if protocol == "h1" {
		for i := range callers {
			d := &dialog{within: within, fresh: fresh}
			callers[i] = func() (*http.Response, error) {
				r, err := request()
				if err != nil {
					return nil, err
				}
				return d.call(r)
			}
		}
		return callers, nil
	}
	t, err := transport(protocol)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: t, Timeout: within}
	for i := range callers {
		callers[i] = func() (*http.Response, error) {
			r, err := request()
			if err != nil {
				return nil, err
			}
			answer, err := client.Do(r)
			if err != nil {
				return nil, err
			}
			_, err = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			return answer, err
		}
	}
	return callers, nil
}

// dialog is one HTTP/1.1 connection, opened when needed. Go's own client repeats what failed on a kept connection; this one does not.
type dialog struct {
	within     time.Duration
	fresh      bool
	connection net.Conn
	in         *bufio.Reader
}

func (d *dialog) call(request *http.Request) (*http.Response, error) {
	if d.connection == nil {
		address := request.URL.Host
		if request.URL.Port() == "" {
			address = net.JoinHostPort(request.URL.Hostname(), "80")
		}
		connection, err := net.DialTimeout("tcp", address, d.within)
		if err != nil {
			return nil, fmt.Errorf("dialing: %w", err)
		}
		d.connection, d.in = connection, bufio.NewReader(connection)
	}
	answer, err := d.exchange(request)
	if err != nil || answer.Close || d.fresh {
		d.connection.Close()
		d.connection = nil
	}
	return answer, err
}

func (d *dialog) exchange(request *http.Request) (*http.Response, error) {
	d.connection.SetDeadline(time.Now().Add(d.within))
	if err := request.Write(d.connection); err != nil {
		return nil, fmt.Errorf("writing: %w", err)
	}
	answer, err := http.ReadResponse(d.in, request)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	return answer, nil
}

func kindOf(err error) string {
	var network net.Error
	var lookup *net.DNSError
	switch text := err.Error(); {
	case strings.HasPrefix(text, "status "):
		return strings.TrimSpace(text)
	case errors.As(err, &lookup):
		return "name"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout():
		return "timeout"
	default:
		return "other"
	}
}

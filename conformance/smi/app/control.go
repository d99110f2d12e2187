package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

const (
	answerTime = 10 * time.Second // for one request
	loadTime   = 10 * time.Minute // a load that nobody ends ends itself
	mostBody   = 1 << 20
)

// question is what the control port is asked to do; the suite's class App asks it.
type question struct {
	ID             string            `json:"id"`
	Method         string            `json:"method"`
	URL            string            `json:"url"`
	Headers        map[string]string `json:"headers"`
	Body           string            `json:"body"`
	Times          int               `json:"times"`
	Protocol       string            `json:"protocol"`
	NewConnections bool              `json:"newConnections"`
	GapMillis      int               `json:"gapMillis"`
	Rate           int               `json:"rate"`
	Address        string            `json:"address"`
}

// outcome is what the caller saw of one request.
type outcome struct {
	Status     int    `json:"status"`
	Error      string `json:"error"`
	By         string `json:"by"`
	Connection int    `json:"connection"`
	SentMicros int64  `json:"sentMicros"`
	TookMicros int64  `json:"tookMicros"`
}

type outcomes struct {
	Outcomes []outcome `json:"outcomes"`
}

// control is the port by which the suite speaks to its application.
type control struct {
	memory *memory

	lock  sync.Mutex
	loads map[string]*load
}

func newControl(memory *memory) http.Handler {
	c := &control{memory: memory, loads: map[string]*load{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /now", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, map[string]int64{"micros": time.Now().UnixMicro()})
	})
	mux.HandleFunc("GET /received", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, map[string][]received{"received": memory.of(r.FormValue("id"))})
	})
	mux.HandleFunc("POST /fetch", asked(fetch))
	mux.HandleFunc("POST /calls", asked(calls))
	mux.HandleFunc("POST /tcp", asked(connect))
	mux.HandleFunc("POST /load", asked(c.begin))
	mux.HandleFunc("POST /load/end", c.end)
	return mux
}

func asked[T any](do func(question) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q question
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := do(q)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		writeJSON(w, answer)
	}
}

// transport speaks exactly one protocol.
func transport(protocol string, newConnections bool) *http.Transport {
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 1000,
		Protocols:           new(http.Protocols),
		DisableCompression:  true,
		DisableKeepAlives:   newConnections,
	}
	if protocol == "h2c" {
		t.Protocols.SetUnencryptedHTTP2(true)
	} else {
		t.Protocols.SetHTTP1(true)
	}
	return t
}

// caller makes the requests of one question and numbers its connections.
type caller struct {
	question
	client *http.Client

	lock    sync.Mutex
	numbers map[string]int
}

func newCaller(q question) *caller {
	client := &http.Client{
		Transport:     transport(q.Protocol, q.NewConnections),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &caller{question: q, client: client, numbers: map[string]int{}}
}

// number is 1 for the first connection that is seen, 2 for the second.
func (c *caller) number(connection net.Conn) int {
	c.lock.Lock()
	defer c.lock.Unlock()
	key := connection.LocalAddr().String()
	if c.numbers[key] == 0 {
		c.numbers[key] = len(c.numbers) + 1
	}
	return c.numbers[key]
}

func (c *caller) one() (seen outcome) {
	started := time.Now()
	seen.SentMicros = started.UnixMicro()
	defer func() { seen.TookMicros = time.Since(started).Microseconds() }()
	deadline, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	var connection int
	traced := httptrace.WithClientTrace(deadline, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) { connection = c.number(got.Conn) },
	})
	request, err := http.NewRequestWithContext(traced, c.Method, c.URL, strings.NewReader(c.Body))
	if err != nil {
		seen.Error = err.Error()
		return seen
	}
	// A body that cannot be had again keeps Go from repeating a request whose connection broke: what is lost is to be seen.
	request.Body, request.GetBody = io.NopCloser(strings.NewReader(c.Body)), nil
	for name, value := range c.Headers {
		if strings.EqualFold(name, "Host") {
			request.Host = value
		} else {
			request.Header.Set(name, value)
		}
	}
	if c.ID != "" {
		request.Header.Set(idHeader, c.ID)
	}
	answer, err := c.client.Do(request)
	seen.Connection = connection
	if err != nil {
		seen.Error = err.Error()
		return seen
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		seen.Error = err.Error()
		return seen
	}
	seen.Status, seen.By = answer.StatusCode, answer.Header.Get(nameHeader)
	return seen
}

func calls(q question) (outcomes, error) {
	c := newCaller(q)
	defer c.client.CloseIdleConnections()
	all := outcomes{[]outcome{}}
	for i := range q.Times {
		if i > 0 {
			time.Sleep(time.Duration(q.GapMillis) * time.Millisecond)
		}
		all.Outcomes = append(all.Outcomes, c.one())
	}
	return all, nil
}

// answer is what one request got, for the steps of the published suite.
type answer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Error  string `json:"error"`
}

func fetch(q question) (answer, error) {
	client := &http.Client{Transport: transport("h1", true), Timeout: answerTime}
	request, err := http.NewRequest(q.Method, q.URL, strings.NewReader(q.Body))
	if err != nil {
		return answer{}, err
	}
	got, err := client.Do(request)
	if err != nil {
		return answer{Error: err.Error()}, nil
	}
	defer got.Body.Close()
	body, err := io.ReadAll(io.LimitReader(got.Body, mostBody))
	if err != nil {
		return answer{Error: err.Error()}, nil
	}
	return answer{Status: got.StatusCode, Body: string(body)}, nil
}

func connect(q question) (outcomes, error) {
	all := outcomes{[]outcome{}}
	for i := range q.Times {
		all.Outcomes = append(all.Outcomes, connectOnce(q, i+1))
	}
	return all, nil
}

func connectOnce(q question, number int) (seen outcome) {
	started := time.Now()
	seen = outcome{SentMicros: started.UnixMicro(), Connection: number}
	defer func() { seen.TookMicros = time.Since(started).Microseconds() }()
	connection, err := net.DialTimeout("tcp", q.Address, answerTime)
	if err != nil {
		seen.Error = err.Error()
		return seen
	}
	defer connection.Close()
	connection.SetDeadline(started.Add(answerTime))
	fmt.Fprintln(connection, "call", q.ID)
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		seen.Error = err.Error()
		return seen
	}
	seen.Status, seen.By = http.StatusOK, strings.TrimSpace(line)
	return seen
}

// load sends at a steady rate, whether answers come or not.
type load struct {
	stop context.CancelFunc
	done chan struct{}
	lock sync.Mutex
	all  outcomes
}

func (c *control) begin(q question) (map[string]string, error) {
	if q.Rate < 1 || q.Rate > 2000 {
		return nil, fmt.Errorf("rate is %d: 1 to 2000", q.Rate)
	}
	life, stop := context.WithTimeout(context.Background(), loadTime)
	l := &load{stop: stop, done: make(chan struct{}), all: outcomes{[]outcome{}}}
	c.lock.Lock()
	c.loads[q.ID] = l
	c.lock.Unlock()
	caller := newCaller(q)
	go func() {
		defer close(l.done)
		defer caller.client.CloseIdleConnections()
		tick := time.NewTicker(time.Second / time.Duration(q.Rate))
		defer tick.Stop()
		var underway sync.WaitGroup
		defer underway.Wait()
		for {
			select {
			case <-life.Done():
				return
			case <-tick.C:
				underway.Go(func() {
					seen := caller.one()
					l.lock.Lock()
					defer l.lock.Unlock()
					l.all.Outcomes = append(l.all.Outcomes, seen)
				})
			}
		}
	}()
	return map[string]string{"id": q.ID}, nil
}

func (c *control) end(w http.ResponseWriter, r *http.Request) {
	c.lock.Lock()
	l := c.loads[r.FormValue("id")]
	delete(c.loads, r.FormValue("id"))
	c.lock.Unlock()
	if l == nil {
		http.Error(w, "there is no load "+r.FormValue("id"), http.StatusNotFound)
		return
	}
	l.stop()
	<-l.done
	writeJSON(w, l.all)
}

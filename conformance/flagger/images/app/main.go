// The application whose versions are tried out, and its users.
//
//	app serve    answers on :8080 as its version does: $VERSION, $FAIL (percent of answers that are a 500), $DELAY (before each answer)
//	app use URL  asks for URL at a steady rate, $RATE a second, without waiting for answers
//	app targets  tells Prometheus on 127.0.0.1:8082 which proxies there are
//
// The first two count by the second, and tell it on :8081 as JSON: {"1763760000":{"ok":40,"failed":3}}.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// limit is what a user waits for an answer, patience from when on they call it slow.
const (
	limit    = 10 * time.Second
	patience = 500 * time.Millisecond
	// underWay bounds the requests of one user that wait for their answers.
	underWay = 1000
)

// counts are numbers by second and word.
type counts struct {
	lock    sync.Mutex
	seconds map[int64]map[string]int
}

func (c *counts) add(at time.Time, word string) {
	c.lock.Lock()
	defer c.lock.Unlock()
	second := c.seconds[at.Unix()]
	if second == nil {
		second = map[string]int{}
		c.seconds[at.Unix()] = second
	}
	second[word]++
}

func (c *counts) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.lock.Lock()
	defer c.lock.Unlock()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(c.seconds)
}

func number(name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	return n
}

// serve counts requests for / as what they became and all others as "check": those are the load tester's.
func serve(count *counts) {
	version, fail := os.Getenv("VERSION"), number("FAIL", 0)
	delay, err := time.ParseDuration("0" + os.Getenv("DELAY"))
	if err != nil {
		log.Fatalf("DELAY: %v", err)
	}
	var asked atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) {
		arrived := time.Now()
		word := "ok"
		if n := int(asked.Add(1)); n*fail/100 != (n-1)*fail/100 {
			word = "failed"
		}
		if r.URL.Path != "/" {
			count.add(arrived, "check")
		} else {
			count.add(arrived, word)
		}
		time.Sleep(delay)
		w.Header().Set("X-Version", version)
		if word == "failed" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprintf(w, "version %s\n", version)
	}
	server := &http.Server{Addr: ":8080", Handler: http.HandlerFunc(handler), ReadHeaderTimeout: limit}
	log.Fatal(server.ListenAndServe())
}

// use counts each request in the second it was sent: "ok" or "slow", "failed" (a 5xx of the application) or "lost" (no answer of the
// application at all). How many went to which version is told as "version 1".
func use(url string, count *counts) {
	client := &http.Client{Timeout: limit, Transport: &http.Transport{
		MaxIdleConnsPerHost: underWay,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
	}}
	slots := make(chan struct{}, underWay)
	told := time.Time{}
	ask := func(sent time.Time) {
		defer func() { <-slots }()
		answer, err := client.Get(url)
		if err == nil {
			_, err = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
		if err != nil || answer.Header.Get("X-Version") == "" {
			count.add(sent, "lost")
			count.lock.Lock()
			defer count.lock.Unlock()
			if time.Since(told) > time.Second {
				told = time.Now()
				if err == nil {
					err = fmt.Errorf("%s %s", answer.Status, answer.Header.Get("X-Tulle-Reason"))
				}
				log.Print("lost: ", err)
			}
			return
		}
		count.add(sent, "version "+answer.Header.Get("X-Version"))
		switch {
		case answer.StatusCode >= 500:
			count.add(sent, "failed")
		case time.Since(sent) > patience:
			count.add(sent, "slow")
		default:
			count.add(sent, "ok")
		}
	}
	for range time.Tick(time.Second / time.Duration(number("RATE", 40))) {
		slots <- struct{}{}
		go ask(time.Now())
	}
}

func main() {
	count := &counts{seconds: map[int64]map[string]int{}}
	if len(os.Args) == 2 && os.Args[1] == "targets" {
		targets()
	}
	go func() { log.Fatal(http.ListenAndServe(":8081", count)) }()
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		serve(count)
	case len(os.Args) == 3 && os.Args[1] == "use":
		use(os.Args[2], count)
	default:
		fmt.Fprintln(os.Stderr, "Usage: app serve | app use URL | app targets")
		os.Exit(2)
	}
}

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
)

// published does what the published suite asks of its applications:
//
//	POST /call {url, method, body, headers}   makes that request and takes down how it ended
//	GET /metrics, DELETE /metrics             what was taken down; forgets it
//	/echo                                     gives the request back
type published struct {
	name   string
	client *http.Client // one for all calls: it keeps its connections and uses them again

	lock    sync.Mutex
	metrics metrics
}

// metrics is what was taken down: callers by name in the order they came, and requests by how they ended.
type metrics struct {
	ReqReceived   []string
	RespSucceeded []response
	RespFailed    []response
}

type response struct {
	URL     string
	Method  string
	Headers map[string]string
}

type order struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
}

// callerHeader says who calls.
const callerHeader = "ServiceName"

func (p *published) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/call":
		p.received(r)
		p.call(w, r)
	case "/echo":
		p.received(r)
		text, _ := httputil.DumpRequest(r, true)
		w.Write(text)
	case "/metrics":
		p.lock.Lock()
		defer p.lock.Unlock()
		if r.Method == http.MethodDelete {
			p.metrics = metrics{}
		}
		writeJSON(w, p.metrics)
	}
}

func (p *published) received(r *http.Request) {
	caller := r.Header.Get(callerHeader)
	if caller == "" {
		caller = "Unidentified"
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.metrics.ReqReceived = append(p.metrics.ReqReceived, caller)
}

// call answers 500 and takes nothing down when there is no answer: a mesh that refuses by a reset is not counted as refusing.
func (p *published) call(w http.ResponseWriter, r *http.Request) {
	var what order
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&what); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), what.Method, what.URL, strings.NewReader(what.Body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for name, value := range what.Headers {
		request.Header.Set(name, value)
	}
	request.Header.Set(callerHeader, p.name)
	answer, err := p.client.Do(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	taken := response{what.URL, what.Method, what.Headers}
	p.lock.Lock()
	defer p.lock.Unlock()
	if answer.StatusCode >= 200 && answer.StatusCode < 400 {
		p.metrics.RespSucceeded = append(p.metrics.RespSucceeded, taken)
	} else {
		p.metrics.RespFailed = append(p.metrics.RespFailed, taken)
	}
	writeJSON(w, taken)
}

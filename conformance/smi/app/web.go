package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// idHeader marks the requests of one call, nameHeader says in an answer who gave it.
const (
	idHeader   = "X-Smi-Call"
	nameHeader = "X-Smi-App"
)

// remembered is the most that is kept; older ones are forgotten first.
const remembered = 50_000

// received is what came, as it came.
type received struct {
	ID      string              `json:"-"`
	At      string              `json:"at"`
	Port    int                 `json:"port"`
	Method  string              `json:"method"`
	URI     string              `json:"uri"`
	Host    string              `json:"host"`
	Proto   string              `json:"proto"`
	Headers map[string][]string `json:"headers"`
}

// memory holds what was received of calls with an id.
type memory struct {
	sync.Mutex
	all []received
}

func (m *memory) add(one received) {
	m.Lock()
	defer m.Unlock()
	if len(m.all) >= remembered {
		m.all = append(m.all[:0], m.all[remembered/2:]...)
	}
	m.all = append(m.all, one)
}

func (m *memory) of(id string) []received {
	m.Lock()
	defer m.Unlock()
	found := []received{}
	for _, one := range m.all {
		if one.ID == id {
			found = append(found, one)
		}
	}
	return found
}

// web answers on the ports that the mesh sees.
type web struct {
	name      string
	port      int
	memory    *memory
	published *published
}

func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(nameHeader, s.name)
	if id := r.Header.Get(idHeader); id != "" {
		headers := map[string][]string{}
		for name, values := range r.Header {
			headers[strings.ToLower(name)] = values
		}
		s.memory.add(received{id, s.name, s.port, r.Method, r.RequestURI, r.Host, r.Proto, headers})
	}
	switch path := r.URL.Path; {
	case path == "/call" || path == "/echo" || path == "/metrics":
		s.published.ServeHTTP(w, r)
	case strings.HasPrefix(path, "/status/"):
		io.Copy(io.Discard, r.Body)
		status, err := strconv.Atoi(path[len("/status/"):])
		if err != nil || status < 200 || status > 599 {
			status = http.StatusBadRequest
		}
		w.WriteHeader(status)
	default:
		io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, s.name)
	}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

// serveTCP answers each line with the application's name; a line that begins with "call " marks the connection with the id behind it.
func serveTCP(listener net.Listener, name string, port int, memory *memory) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			lines := bufio.NewScanner(connection)
			for marked := false; lines.Scan(); {
				if id, found := strings.CutPrefix(lines.Text(), "call "); found && !marked {
					marked = true
					memory.add(received{ID: id, At: name, Port: port, Method: "TCP", Proto: "TCP"})
				}
				fmt.Fprintln(connection, name)
			}
		}()
	}
}

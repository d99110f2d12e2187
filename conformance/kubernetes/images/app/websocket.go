package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// As much of WebSocket (RFC 6455) as an echo needs: text messages of one frame and less than 126 bytes.

const webSocketKey = "dGhlIHNhbXBsZSBub25jZQ=="

func webSocketAccept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (s *server) echoWebSocket(w http.ResponseWriter, r *http.Request) {
	hijacker, able := w.(http.Hijacker)
	if !able || r.Header.Get("Sec-Websocket-Key") == "" {
		http.Error(w, "a WebSocket handshake by HTTP/1.1 is wanted", http.StatusUpgradeRequired)
		return
	}
	connection, buffered, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		webSocketAccept(r.Header.Get("Sec-Websocket-Key")))
	for {
		text, err := readFrame(buffered.Reader)
		if err != nil {
			return
		}
		connection.Write(append([]byte{0x81, byte(len(text))}, text...))
	}
}

func readFrame(in *bufio.Reader) ([]byte, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, err
	}
	length := int(head[1] & 0x7f)
	if head[0] != 0x81 || length > 125 {
		return nil, fmt.Errorf("a frame that begins with %x", head)
	}
	mask := make([]byte, 4)
	if head[1]&0x80 != 0 {
		if _, err := io.ReadFull(in, mask); err != nil {
			return nil, err
		}
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil, err
	}
	for i := range text {
		text[i] ^= mask[i%4]
	}
	return text, nil
}

func sayWebSocket(arguments []string) error {
	flags := flag.NewFlagSet("websocket", flag.ExitOnError)
	text := flags.String("say", "hello", "less than 126 bytes")
	flags.Parse(arguments)
	target, err := url.Parse(flags.Arg(0))
	if err != nil {
		return err
	}
	address := target.Host
	if target.Port() == "" {
		address = net.JoinHostPort(target.Hostname(), "80")
	}
	connection, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		target.RequestURI(), target.Host, webSocketKey)
	in := bufio.NewReader(connection)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != 101 || answer.Header.Get("Sec-Websocket-Accept") != webSocketAccept(webSocketKey) {
		return fmt.Errorf("no WebSocket: %s", answer.Status)
	}
	frame := append([]byte{0x81, 0x80 | byte(len(*text)), 0, 0, 0, 0}, *text...)
	if _, err := connection.Write(frame); err != nil {
		return err
	}
	echoed, err := readFrame(in)
	if err != nil {
		return err
	}
	fmt.Println(string(echoed))
	return nil
}

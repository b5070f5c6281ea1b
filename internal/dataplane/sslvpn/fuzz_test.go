package sslvpn

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// FuzzReadRequest gives the HTTP side of a connection anything: what it takes
// for requests is bounded, has one length, and reads nothing twice.
func FuzzReadRequest(f *testing.F) {
	captures := filepath.Join("..", "..", "protocol", "openconnect", "testdata")
	connect, err := os.ReadFile(filepath.Join(captures, "connect-request.http"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(connect)
	for _, name := range []string{"init.xml", "auth-reply-password.xml", "init-group-change.xml"} {
		body, err := os.ReadFile(filepath.Join(captures, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(post(string(body))))
	}
	f.Add([]byte("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	f.Add(append([]byte("GET / HTTP/1.1\r\nX-Pad: "), bytes.Repeat([]byte{'0'}, maxHead)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		rest := bytes.NewReader(data)
		h := &httpConn{in: bufio.NewReaderSize(rest, 4096)}
		for n := 0; ; n++ {
			before := rest.Len() + h.in.Buffered()
			r, err := h.readRequest()
			if err != nil {
				return
			}
			if after := rest.Len() + h.in.Buffered(); after >= before {
				t.Fatalf("request %d took nothing of %d bytes", n, before)
			}
			checkRequest(t, r)
		}
	})
}

func checkRequest(t *testing.T, r *http.Request) {
	t.Helper()
	if r.Header.Get("Content-Length") != "" && r.TransferEncoding != nil {
		t.Error("a request of two lengths")
	}
	if r.Method == http.MethodConnect {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) > openconnect.MaxDocument {
		t.Errorf("a body of %d bytes, %v", len(body), err)
	}
	_, _ = openconnect.ParseDocument(r.Header.Get("Content-Type"), body) // has a target of its own
}

// FuzzGlance gives what looks at clients' packets in passing anything: an
// acknowledgement is small and of TCP, neighbours' talk is IPv6, neither is both.
func FuzzGlance(f *testing.F) {
	ack := append([]byte{0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, protoTCP, 0, 0, 10, 9, 0, 2, 10, 77, 0, 2}, make([]byte, 20)...)
	ack[32], ack[33] = 0x50, flagACK
	ack6 := append([]byte{0x60, 0, 0, 0, 0, 20, protoTCP, 64}, make([]byte, 52)...)
	ack6[52], ack6[53] = 0x50, flagACK
	report := append([]byte{0x60, 0, 0, 0, 0, 36, 0, 1}, make([]byte, 68)...)
	report[40], report[48] = 58, 143
	for _, p := range [][]byte{ack, ack6, report, append([]byte{0x4f}, ack[1:]...), nil} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		ack, chatter := isAck(p), isChatter(p)
		if ack && (len(p) < 40 || p[0]>>4 == 4 && p[9] != protoTCP) {
			t.Errorf("%x is taken for an acknowledgement", p)
		}
		if chatter && p[0]>>4 != 6 || ack && chatter {
			t.Errorf("%x is taken for neighbours' talk", p)
		}
	})
}

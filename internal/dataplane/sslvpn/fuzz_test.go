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

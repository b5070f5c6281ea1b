package app

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/web"
)

// TestTheConsoleSpeaksTLSAlone: clause LT-5.2a at the listener itself.
func TestTheConsoleSpeaksTLSAlone(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data = t.TempDir()
	cert, err := certificate(cfg)
	must(t, err)
	asked := make(chan string, 10)
	h := web.Handler(web.Layers{Limiter: web.NewLimiter(60, 5), Log: slog.New(slog.DiscardHandler)},
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	s := consoleServer(h, cert, slog.New(slog.DiscardHandler))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- web.Serve(ctx, s, func() error { return closed(s.ServeTLS(l, "", "")) }) }()
	t.Cleanup(func() { stop(); must(t, <-done) })

	plain, err := net.DialTimeout("tcp", l.Addr().String(), 5*time.Second)
	must(t, err)
	_, err = io.WriteString(plain, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n")
	must(t, err)
	line, _ := bufio.NewReader(plain).ReadString('\n')
	_ = plain.Close()
	if !strings.Contains(line, " 400 ") {
		t.Errorf("plain HTTP: got %q, want a refusal", line)
	}
	if _, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10, InsecureSkipVerify: true}); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: 10 * time.Second}
	a, err := client.Get("https://" + l.Addr().String() + "/secret")
	must(t, err)
	_ = a.Body.Close()
	client.CloseIdleConnections()
	if a.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("HSTS is %q", a.Header.Get("Strict-Transport-Security"))
	}
	if got := <-asked; got != "/secret" || len(asked) > 0 {
		t.Errorf("a handler was asked for %q first", got)
	}
}

package metric_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

func read(all ...metric.Sample) func(context.Context) ([]metric.Sample, error) {
	return func(context.Context) ([]metric.Sample, error) { return all, nil }
}

func scrape(t *testing.T, r *metric.Registry, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

func TestTheTextIsThatOfTheFormat(t *testing.T) {
	t.Parallel()
	var logins metric.Counts
	logins.Add("granted")
	logins.Add("granted")
	logins.Add("a\"b\\c\n")
	r := metric.New(slog.New(slog.DiscardHandler),
		metric.Family{Name: "skybridge_test_sessions", Help: "Live.", Kind: metric.Gauge, Read: metric.One(func() float64 { return 2.5 })},
		metric.Family{Name: "skybridge_test_logins_total", Help: "A \\ and\na line.", Kind: metric.Counter, Labels: []string{"outcome"}, Read: logins.Read},
		metric.Family{Name: "skybridge_test_jobs", Help: "Two labels.", Kind: metric.Gauge, Labels: []string{"state", "kind"}, Read: read(metric.Sample{Labels: []string{"a", "b"}, Value: 1e21})},
		metric.Family{Name: "skybridge_test_away", Help: "Database away.", Kind: metric.Gauge, Read: func(context.Context) ([]metric.Sample, error) { return nil, errors.New("away") }},
	)
	status, got := scrape(t, r, "/metrics")
	want := `# HELP skybridge_test_sessions Live.
# TYPE skybridge_test_sessions gauge
skybridge_test_sessions 2.5
# HELP skybridge_test_logins_total A \\ and\na line.
# TYPE skybridge_test_logins_total counter
skybridge_test_logins_total{outcome="a\"b\\c\n"} 1
skybridge_test_logins_total{outcome="granted"} 2
# HELP skybridge_test_jobs Two labels.
# TYPE skybridge_test_jobs gauge
skybridge_test_jobs{state="a",kind="b"} 1e+21
# HELP skybridge_metrics_unreadable_total Families that could not be read when they were asked for.
# TYPE skybridge_metrics_unreadable_total counter
skybridge_metrics_unreadable_total 1
`
	if status != 200 || got != want {
		t.Errorf("got %d\n%s\nwant\n%s", status, got, want)
	}
	if status, _ := scrape(t, r, "/"); status != 404 {
		t.Errorf("another path: got %d", status)
	}
}

func TestAMalformedFamilyIsAMistakeInTheProgram(t *testing.T) {
	t.Parallel()
	good := metric.Family{Name: "skybridge_a", Help: "h", Kind: metric.Gauge, Read: read()}
	for what, change := range map[string]func(*metric.Family){
		"name": func(f *metric.Family) { f.Name = "a" }, "counter": func(f *metric.Family) { f.Kind = metric.Counter },
		"help": func(f *metric.Family) { f.Help = "" }, "label": func(f *metric.Family) { f.Labels = []string{"A"} },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: taken", what)
				}
			}()
			f := good
			change(&f)
			metric.New(nil, f)
		}()
	}
}

func TestNumbersAreShownOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	r := metric.New(slog.New(slog.DiscardHandler))
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:9470", "localhost:9470", ""} {
		if err := metric.Serve(t.Context(), address, r, nil); !errors.Is(err, metric.ErrNotLoopback) {
			t.Errorf("%q: got %v", address, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	at, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() { done <- metric.Serve(ctx, "127.0.0.1:0", r, func(a net.Addr) { at <- a }) }()
	resp, err := http.Get("http://" + (<-at).String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.Header.Get("Content-Type") != metric.ContentType || !strings.Contains(string(text), "skybridge_metrics_unreadable_total 0") {
		t.Errorf("got %v %s, %v", resp.Header, text, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
}

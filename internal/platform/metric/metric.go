// Package metric tells numbers of the running process in the text exposition
// format of Prometheus (version 0.0.4).
//
// It is not a time series and keeps no history: a Family is read when somebody
// asks. The names of labels are one closed list (Labels), their values closed sets
// that the program or its operator names (a state, an outcome, a node); nothing of a
// person, a customer or a session may be one.
//
//	counters in the program ──▶ Family.Read ──▶ GET /metrics ──▶ scraper
//
// Invariants: a family that cannot be read is left out and counted, and never
// hides the others; the listener is on loopback; a process that is not asked
// does nothing.
package metric

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Kind says how a family's values move.
type Kind string

// Kinds. A counter only grows while the process lives.
const (
	Counter Kind = "counter"
	Gauge   Kind = "gauge"
)

// Sample is one value with the values of the family's labels, in their order.
type Sample struct {
	Labels []string
	Value  float64
}

// Family is all samples of one name.
type Family struct {
	Name   string // skybridge_...; a counter's ends in _total
	Help   string // one sentence
	Kind   Kind
	Labels []string
	Read   func(ctx context.Context) ([]Sample, error)
}

// One is the Read of a family without labels.
func One(read func() float64) func(context.Context) ([]Sample, error) {
	return func(context.Context) ([]Sample, error) { return []Sample{{Value: read()}}, nil }
}

// Registry answers scrapes. It is an http.Handler.
type Registry struct {
	families []Family
	log      *slog.Logger
	failed   atomic.Uint64
}

var namePattern = regexp.MustCompile(`^skybridge_[a-z0-9_]+$`)

// New returns a registry. A malformed family is a mistake in the program.
func New(log *slog.Logger, families ...Family) *Registry {
	r := &Registry{log: log}
	r.families = append(slices.Clone(families), Family{
		Name: "skybridge_metrics_unreadable_total", Kind: Counter, Help: "Families that could not be read when they were asked for.",
		Read: One(func() float64 { return float64(r.failed.Load()) }),
	})
	seen := map[string]bool{}
	for _, f := range r.families {
		bad := Labels.Check(f.Labels...) != nil
		if bad || seen[f.Name] || !namePattern.MatchString(f.Name) || (f.Kind == Counter) != strings.HasSuffix(f.Name, "_total") || f.Help == "" || f.Read == nil {
			panic("metric: malformed family " + f.Name)
		}
		seen[f.Name] = true
	}
	return r
}

// Names lists the families, for tests that hold the documents to them.
func (r *Registry) Names() (all []string) {
	for _, f := range r.families {
		all = append(all, f.Name)
	}
	return all
}

// ContentType is that of an answer.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// ServeHTTP answers GET /metrics.
func (r *Registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.URL.Path != "/metrics" {
		http.NotFound(w, q)
		return
	}
	var b bytes.Buffer
	for _, f := range r.families {
		all, err := f.Read(q.Context())
		if err != nil {
			r.failed.Add(1)
			r.log.WarnContext(q.Context(), "reading a metric", "metric", f.Name, "error", err)
			continue
		}
		f.write(&b, all)
	}
	w.Header().Set("Content-Type", ContentType)
	_, _ = w.Write(b.Bytes()) // who asked went away
}

func (f Family) write(b *bytes.Buffer, all []Sample) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.Name, helpEscape.Replace(f.Help), f.Name, f.Kind)
	for _, s := range all {
		b.WriteString(f.Name)
		for i, name := range f.Labels {
			b.WriteByte("{,"[min(i, 1)])
			fmt.Fprintf(b, `%s="%s"`, name, labelEscape.Replace(s.Labels[i]))
		}
		if len(f.Labels) > 0 {
			b.WriteByte('}')
		}
		fmt.Fprintf(b, " %s\n", strconv.FormatFloat(s.Value, 'g', -1, 64))
	}
}

var (
	helpEscape  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// Counts counts events by labels, whose values the program names. The zero value
// is ready; it is safe for concurrent use. A nil Counts counts nothing.
type Counts struct {
	mu sync.Mutex
	by map[string]*Sample // by the labels, joined
}

// Add counts one event.
func (c *Counts) Add(labels ...string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]*Sample{}
	}
	key := strings.Join(labels, "\x00")
	if c.by[key] == nil {
		c.by[key] = &Sample{Labels: labels}
	}
	c.by[key].Value++
}

// Read is Family.Read.
func (c *Counts) Read(context.Context) ([]Sample, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Sample, 0, len(c.by))
	for _, s := range c.by {
		all = append(all, *s)
	}
	return Sorted(all), nil
}

// Sorted sorts samples by their labels, so that answers can be compared.
func Sorted(all []Sample) []Sample {
	slices.SortFunc(all, func(a, b Sample) int { return slices.Compare(a.Labels, b.Labels) })
	return all
}

// ByLabel makes samples of one label, sorted.
func ByLabel(values map[string]float64) []Sample {
	all := make([]Sample, 0, len(values))
	for label, v := range values {
		all = append(all, Sample{[]string{label}, v})
	}
	return Sorted(all)
}

// ErrNotLoopback refuses to show numbers to a network.
var ErrNotLoopback = errors.New("metrics are shown on loopback only: give an address such as 127.0.0.1:9470")

// Loopback reports whether an address is an IP address of loopback with a port.
func Loopback(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().IsLoopback()
}

// Serve answers on a loopback address until ctx ends. ready, if not nil, is told
// the address that it listens on.
func Serve(ctx context.Context, address string, h http.Handler, ready func(net.Addr)) error {
	if !Loopback(address) {
		return ErrNotLoopback
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listening for scrapes: %w", err)
	}
	if ready != nil {
		ready(l.Addr())
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answering scrapes: %w", err)
	}
	return nil
}

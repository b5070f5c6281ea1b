// Package privacy measures what the protection of personal data costs: a read of
// somebody's sealed data, an erasure, the search for what an erasure left, the
// check of proofs. On SQLite, with the real modules and a real file system.
//
//	go test -run '^$' -bench . -benchtime 1x -count 5 ./test/bench/privacy
//
// It prints the median of the rounds of each figure and writes it into
// $BENCH_OUT/NAME.json. A figure that misses its goal is told and fails nothing.
package privacy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// figure is one line of the result, in the form of test/bench/load.
type figure struct {
	Row   string             `json:"row"`
	Name  string             `json:"name"`
	Unit  string             `json:"unit"`
	Value float64            `json:"value"` // median of the rounds
	Goal  string             `json:"goal"`
	More  map[string]float64 `json:"more"`
}

var (
	mu      sync.Mutex
	figures = map[string]*figure{}
	rounds  = map[string][]float64{}
)

// record adds a round of a figure.
func record(f figure, value float64) {
	mu.Lock()
	defer mu.Unlock()
	figures[f.Name] = &f
	rounds[f.Name] = append(rounds[f.Name], value)
}

func TestMain(m *testing.M) {
	status := m.Run()
	if err := write(os.Getenv("BENCH_OUT")); err != nil {
		fmt.Fprintln(os.Stderr, "privacy:", err)
		status = max(status, 1)
	}
	os.Exit(status)
}

// write prints the medians, and keeps them in a directory if one is named.
func write(dir string) error {
	all := make([]*figure, 0, len(figures))
	for _, f := range figures {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *figure) int { return cmp.Compare(a.Row, b.Row) })
	var failed []error
	for _, f := range all {
		values := slices.Sorted(slices.Values(rounds[f.Name]))
		f.Value = values[len(values)/2]
		if f.More == nil {
			f.More = map[string]float64{}
		}
		f.More["rounds"], f.More["least"], f.More["most"] = float64(len(values)), values[0], values[len(values)-1]
		f.More["processors"] = float64(runtime.NumCPU())
		fmt.Printf("%-3s %-28s %10.3f %-6s (%.3f to %.3f in %d rounds)  goal %s\n", f.Row, f.Name, f.Value, f.Unit, values[0], values[len(values)-1], len(values), f.Goal)
		if dir == "" {
			continue
		}
		text, err := json.MarshalIndent(f, "", "  ")
		failed = append(failed, err, os.WriteFile(filepath.Join(dir, f.Name+".json"), append(text, '\n'), 0o644))
	}
	return errors.Join(failed...)
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

const reads = 2000

// BenchmarkRead is a person's own sealed address shown to them: the row, the gate
// of the purpose, the read event committed with its leaf of the log, the value
// opened.
func BenchmarkRead(b *testing.B) {
	r := assemble(b)
	people := r.people(b, 20)
	for b.Loop() {
		times := make([]float64, 0, reads)
		for i := range reads {
			began := time.Now()
			if _, err := r.Account.Address(context.Background(), people[i%len(people)]); err != nil {
				b.Fatal(err)
			}
			times = append(times, time.Since(began).Seconds()*1000)
		}
		slices.Sort(times)
		record(figure{Row: "11", Name: "privacy-read-p50", Unit: "ms", Goal: "1"}, times[reads/2])
		record(figure{Row: "11", Name: "privacy-read-p99", Unit: "ms", Goal: "10"}, times[reads*99/100])
	}
}

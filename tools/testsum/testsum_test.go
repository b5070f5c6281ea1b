package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestGoStream(t *testing.T) {
	t.Parallel()
	const pass = `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n"
	const ok = `{"Action":"pass","Package":"p","Elapsed":1}` + "\n"
	for _, c := range []struct {
		name, in, says, problem string
	}{
		{"green", `{"Action":"output","Package":"p","Test":"TestA","Output":"chatter"}` + "\n" + pass + ok, "ok", ""},
		{"a failure shows its output", `{"Action":"output","Package":"p","Test":"TestB","Output":"want 1 got 2\n"}` + "\n" +
			`{"Action":"fail","Package":"p","Test":"TestB"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n", "want 1 got 2", "1 tests failed"},
		{"a skip fails", pass + `{"Action":"skip","Package":"p","Test":"TestC"}` + "\n" + ok, "skipped: p TestC", "1 tests were skipped"},
		{"nothing ran", `{"Action":"skip","Package":"p"}` + "\n", "0 passed", "no test ran"},
		{"empty stream", "", "0 passed", "no test ran"},
		{"does not build", `{"ImportPath":"p","Action":"build-output","Output":"undefined: x\n"}` + "\n" + `{"ImportPath":"p","Action":"build-fail"}` + "\n" +
			`{"Action":"fail","Package":"p"}` + "\n", "undefined: x", "1 tests failed"},
		{"panic shows the cut test", `{"Action":"output","Package":"p","Test":"TestD","Output":"panic: oh\n"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n", "panic: oh", "1 tests failed"},
		{"lines of others pass through", "go: warning\n" + pass + ok, "go: warning", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			counts := summarizeGo(strings.NewReader(c.in), &out)
			check(t, describe("unit", counts, &out), c.problem)
			if !strings.Contains(out.String(), c.says) {
				t.Errorf("got %q, want it to say %q", out.String(), c.says)
			}
		})
	}
}

func TestGreenStreamIsQuiet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	summarizeGo(strings.NewReader(`{"Action":"output","Package":"p","Test":"TestA","Output":"chatter"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Elapsed":1}
`), &out)
	if strings.Contains(out.String(), "chatter") {
		t.Errorf("got %q, want no output of passed tests", out.String())
	}
}

func TestVitestReport(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, problem string }{
		{"green", `{"success":true,"numTotalTests":3,"numPassedTests":3}`, ""},
		{"failed", `{"success":false,"numTotalTests":3,"numPassedTests":2,"numFailedTests":1}`, "1 tests failed"},
		{"skipped", `{"success":true,"numTotalTests":3,"numPassedTests":2}`, "1 tests were skipped"},
		{"file did not load", `{"success":false,"numTotalTests":3,"numPassedTests":3}`, "1 tests failed"},
		{"no report", ``, "cannot be read"},
		{"not a report", `{}`, "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			check(t, describe("console", summarizeVitest(strings.NewReader(c.in), &out), &out), c.problem)
		})
	}
}

func TestNodeStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, problem string }{
		{"green", "ok 1 - walks\n# tests 3\n# pass 3\n# fail 0\n# skipped 0\n", ""},
		{"failed", "# tests 3\n# pass 2\n# fail 1\n", "1 tests failed"},
		{"cancelled", "# tests 3\n# pass 2\n# fail 0\n# cancelled 1\n", "1 tests failed"},
		{"skipped", "ok 1 - walks # SKIP\n# tests 3\n# pass 2\n# skipped 1\n", "1 tests were skipped"},
		{"cut off", "ok 1 - walks\n", "cut off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			check(t, describe("e2e", summarizeNode(strings.NewReader(c.in), &out), &out), c.problem)
		})
	}
}

func TestTotalAddsStages(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "figures")
	for _, c := range []counts{{Passed: 3}, {Passed: 4, Failed: 1}} {
		if err := record(path, c); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	check(t, total(path, &out), "1 tests failed")
	if got, want := out.String(), "7 passed, 1 failed\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	check(t, run([]string{"nonsense"}, nil, nil), "usage")
}

func check(t *testing.T, got error, want string) {
	t.Helper()
	if (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
		t.Errorf("got error %v, want one with %q", got, want)
	}
}

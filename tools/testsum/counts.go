package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// counts are the figures of one stage.
type counts struct {
	Passed, Failed, Skipped int
	SkippedNames            []string
	Problem                 string // why the figures themselves cannot be trusted
}

// vitestReport is what we read of vitest's JSON report.
type vitestReport struct {
	Success     *bool `json:"success"`
	Total       int   `json:"numTotalTests"`
	Passed      int   `json:"numPassedTests"`
	Failed      int   `json:"numFailedTests"`
	TestResults []struct {
		Status  string `json:"status"`
		Name    string `json:"name"`
		Message string `json:"message"`
	} `json:"testResults"`
}

func summarizeVitest(in io.Reader, out io.Writer) counts {
	var r vitestReport
	if err := json.NewDecoder(in).Decode(&r); err != nil || r.Success == nil {
		return counts{Problem: "vitest's report cannot be read"}
	}
	c := counts{Passed: r.Passed, Failed: r.Failed, Skipped: r.Total - r.Passed - r.Failed}
	for _, file := range r.TestResults {
		if file.Status == "failed" {
			fmt.Fprintf(out, "FAIL  %s\n%s\n", file.Name, file.Message)
		}
	}
	if !*r.Success && c.Failed == 0 {
		c.Failed = 1 // a file that did not load holds no tests
	}
	return c
}

// finish describes a stage, records its figures, and says whether it passed.
func finish(stage string, c counts, out io.Writer) error {
	verdict := describe(stage, c, out)
	if verdict != nil && c.Failed == 0 {
		c.Failed = 1 // so that the closing line tells of it too
	}
	if err := record(os.Getenv("TESTSUM_FILE"), c); err != nil {
		return err
	}
	return verdict
}

func describe(stage string, c counts, out io.Writer) error {
	fmt.Fprintf(out, "%s: %d passed, %d failed, %d skipped\n", stage, c.Passed, c.Failed, c.Skipped)
	for _, name := range c.SkippedNames {
		fmt.Fprintf(out, "skipped: %s\n", name)
	}
	return judge(c)
}

func judge(c counts) error {
	switch {
	case c.Problem != "":
		return errors.New(c.Problem)
	case c.Failed > 0:
		return fmt.Errorf("%d tests failed", c.Failed)
	case c.Skipped > 0:
		return fmt.Errorf("%d tests were skipped; a test that needs something gets it or fails", c.Skipped)
	case c.Passed == 0:
		return errors.New("no test ran")
	}
	return nil
}

func record(path string, c counts) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("recording the figures: %w", err)
	}
	_, err = fmt.Fprintf(f, "%d %d\n", c.Passed, c.Failed)
	return errors.Join(err, f.Close())
}

// total prints the closing line that machines read: N passed, N failed.
func total(path string, out io.Writer) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the figures: %w", err)
	}
	var sum counts
	for line := range strings.Lines(string(text)) {
		var c counts
		if _, err := fmt.Sscanf(line, "%d %d", &c.Passed, &c.Failed); err != nil {
			return fmt.Errorf("reading the figures: %q: %w", line, err)
		}
		sum.Passed += c.Passed
		sum.Failed += c.Failed
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", sum.Passed, sum.Failed)
	return judge(sum)
}

package consent

import (
	"slices"
	"strings"
)

// Kinds of lines.
const (
	Same    = "same"
	Added   = "added"
	Removed = "removed"
)

// Line is a line of one of two texts.
type Line struct{ Kind, Text string }

// Diff tells how a text became another, line by line: what was removed stands
// before what was added in its place. Leaving out the added lines gives the one
// text, leaving out the removed ones the other. Time and memory are the product of
// the lines that differ, some hundred each.
func Diff(before, after string) []Line {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	lines := kind(Same, a[:head])
	lines = append(lines, middle(a[head:len(a)-tail], b[head:len(b)-tail])...)
	return append(lines, kind(Same, a[len(a)-tail:])...)
}

func kind(k string, texts []string) (lines []Line) {
	for _, t := range texts {
		lines = append(lines, Line{k, t})
	}
	return lines
}

// middle compares by the longest common subsequence. common[i][j] is its length
// for what follows a[i] and b[j].
func middle(a, b []string) (lines []Line) {
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := range slices.Backward(a) {
		for j := range slices.Backward(b) {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, Line{Same, a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, Line{Removed, a[i]})
			i++
		default:
			lines = append(lines, Line{Added, b[j]})
			j++
		}
	}
	return lines
}

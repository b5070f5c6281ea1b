package scan

// automaton finds all patterns in one pass over the bytes (Aho and Corasick,
// 1975): a state is the longest beginning of a pattern that the bytes so far end
// with. Bytes that are in no pattern share a column, which keeps the table in
// the processor's cache.
type automaton struct {
	column  [256]uint8 // of a byte
	columns int
	next    []int32   // state × column
	found   [][]int32 // by state: numbers of the patterns that end there
	longest int       // bytes of the longest pattern
}

func build(all []pattern) *automaton {
	a := &automaton{columns: 1}
	for _, p := range all {
		a.longest = max(a.longest, len(p.bytes))
		for _, b := range p.bytes {
			if a.column[b] == 0 && a.columns < 256 {
				a.column[b] = uint8(a.columns) //nolint:gosec // below 256
				a.columns++
			}
		}
	}
	a.grow()
	for n, p := range all {
		state := int32(0)
		for _, b := range p.bytes {
			at := int(state)*a.columns + int(a.column[b])
			if a.next[at] == 0 {
				a.next[at] = a.grow()
			}
			state = a.next[at]
		}
		a.found[state] = append(a.found[state], int32(n)) //nolint:gosec // a few hundred
	}
	a.link()
	return a
}

// grow adds a state and returns it.
func (a *automaton) grow() int32 {
	a.next = append(a.next, make([]int32, a.columns)...)
	a.found = append(a.found, nil)
	return int32(len(a.found) - 1) //nolint:gosec // a few thousand
}

// link fills the table's empty places: where a pattern goes no further, its
// longest end that begins another goes on.
func (a *automaton) link() {
	fail := make([]int32, len(a.found))
	var queue []int32
	for c := range a.columns {
		if s := a.next[c]; s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		a.found[s] = append(a.found[s], a.found[fail[s]]...)
		for c := range a.columns {
			at, back := int(s)*a.columns+c, a.next[int(fail[s])*a.columns+c]
			if to := a.next[at]; to != 0 {
				fail[to] = back
				queue = append(queue, to)
			} else {
				a.next[at] = back
			}
		}
	}
}

// run goes on from a state over bytes and tells each pattern that ends in them.
func (a *automaton) run(state int32, text []byte, hit func(pattern int32)) int32 {
	for _, b := range text {
		state = a.next[int(state)*a.columns+int(a.column[b])]
		if len(a.found[state]) > 0 {
			for _, n := range a.found[state] {
				hit(n)
			}
		}
	}
	return state
}

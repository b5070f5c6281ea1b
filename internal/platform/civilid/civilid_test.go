package civilid

import "testing"

func TestCheckDigit(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{
		"11010519491231002X": true, // the standard's own example
		"11010519491231002x": true,
		"110105194912310021": false,
		"11010519491231002":  false,
		"1101051949123100２X": false,
		"":                   false,
	}
	for number, want := range cases {
		if got := CheckDigit(number); got != want {
			t.Errorf("CheckDigit(%q): got %v, want %v", number, got, want)
		}
	}
}

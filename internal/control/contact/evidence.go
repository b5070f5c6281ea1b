package contact

import (
	"maps"
	"slices"
)

// official are purposes for which the law opens what a person added: their own
// right of access, and the order of an authority.
var official = []string{forPerson, "legal_order"}

// Tables lists where what people added stands.
func Tables() []string { return []string{"contact_phone", "contact_qq", "contact_region"} }

// Serves tells whether a reading of a field may have a purpose (LT-1.2b).
func Serves(field, purpose string) bool {
	for kind := range maps.Keys(tables) {
		if t := tables[kind]; t.name+"."+t.column == field {
			return slices.Contains(Uses(kind), purpose) || slices.Contains(official, purpose)
		}
	}
	return false
}

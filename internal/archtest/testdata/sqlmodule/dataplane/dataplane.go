// Package dataplane links what it must not: planted for the test of Links.
package dataplane

import "database/sql"

var _ *sql.DB

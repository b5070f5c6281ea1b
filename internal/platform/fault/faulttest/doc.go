// Package faulttest runs parts of a test in processes that are killed at a fault
// point. It is there in builds with the tag "fault".
//
// It is not for production code.
package faulttest

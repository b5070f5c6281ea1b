// Package app puts the parts together: configuration to stores, stores to
// modules, modules to servers. It is the only package that knows them all, and
// holds no rule of the business.
//
//	skybridge serve ──┬── control      database, modules, jobs, HTTPS, gwlink
//	                  ├── gateway      kernel, tunnels; no database, no identity
//	                  └── simulators   third parties on loopback, in a demonstration
package app

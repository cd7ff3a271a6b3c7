// Package stillcast holds the words of the project as types, with their
// validation: streams and pushes, snapshot and callback templates, rules,
// shots and events.
//
// It imports the standard library only and nothing of the project. Every other
// package may import it; adapters (ingest, state, objstore, notify, …) talk to
// each other in these types and never import one another.
//
// The way of a picture through the packages:
//
//	publisher ─► ingest ─► media ─► capture ─► codec ─► spool ─► objstore
//	                                                      │
//	                                     state ◄──────────┘
//	                                       │
//	                                       ▼
//	                                     notify ─► the user's server
package stillcast

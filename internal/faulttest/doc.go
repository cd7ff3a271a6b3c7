// Package faulttest holds whole servers to the promise that nothing is lost: it runs
// Stillcast in a process of its own under load, kills it, cuts the power of its disk,
// takes its object store away, fills its disk, and then compares what publishers
// caused, what the log acknowledged, what the database and the store hold and what
// the receiver got.
//
// Everything random comes from a seed that the test logs; STILLCAST_FAULT_SEED runs
// with the same one again. STILLCAST_FAULT_ROUNDS makes the tests longer (make
// test-faults). There is nothing in it but tests.
package faulttest

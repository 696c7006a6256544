// Package lambda runs functions as AWS Lambda does: each as processes of its own, behind the
// Lambda Runtime API, one invocation at a time in each process.
//
// A function whose processes are all busy gets another one, up to its concurrency. A process
// that crashes or runs over its time is replaced at the next invocation. Memory is not limited.
package lambda

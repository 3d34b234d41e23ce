#ifndef SC_ELIGIBILITY_H
#define SC_ELIGIBILITY_H

#include "frame.h"
#include "requests.h"

/* Replies to ELIGIBILITY with what could keep the job from being quiesced: who runs MPI and whether the gate holds it,
   who uses RDMA, which connections leave the job's network. It only reports. */
void sc_eligibility_report(struct sc_daemon *daemon, const struct sc_frame *request);

#endif

//! The workloads: products, convolutions and training steps.

use super::contender::Contender;
use super::needs::Needs;
use super::report::WorkKind;
use super::timing::Repeatable;
use super::training::{NETWORKS, ReferenceNetwork, TrainingRun, images, lowered, noise};
use crate::data::Samples;
use crate::engine::Engine;
use crate::engine::profile::{Profile, Profiler};
use crate::engine::stopwatch::each;
use crate::error::Result;
use crate::kernel::{Consts, Geometry, Kernel, Step};
use crate::network::lower::{Lowered, TRAIN};
use crate::program::{Dispatch, MAX_STEPS, View};
use crate::table;
use crate::table::choice::Choice;
use crate::tune::{Work as Recorded, plain_product};
use crate::verify::cases::{Case, bench_cases, ready};

/// One workload.
pub(super) struct Workload {
    /// Its name in lower case.
    pub name: String,
    pub kind: WorkKind,
    what: Task,
}

enum Task {
    /// C = A·B   A: (m, k)  B: (k, n), by m, n and k.
    Product([usize; 3]),
    /// One kernel, in a device's version.
    Kernel(Case, fn(&Choice, Consts) -> (&'static Kernel, Consts)),
    /// Training steps of a network.
    Training { network: &'static ReferenceNetwork, batch: usize, samples: usize },
}

/// m, n and k of C = A·B   A: (m, k)  B: (k, n).
const PRODUCTS: [(usize, usize, usize); 6] = [
    (64, 128, 784),
    (256, 256, 256),
    (512, 512, 512),
    (1_024, 1_024, 1_024),
    (2_048, 2_048, 2_048),
    (4_096, 4_096, 4_096),
];
const FEW_PRODUCTS: usize = 3;

const BATCHES: [usize; 4] = [1, 64, 128, 1_024];
const FEW_BATCHES: usize = 2;

/// All workloads, the smaller ones of each kind first.
pub(super) fn works(quick: bool) -> Vec<Workload> {
    let few = |most: usize, few: usize| if quick { few } else { most };
    let products = &PRODUCTS[..few(PRODUCTS.len(), FEW_PRODUCTS)];
    let batches = &BATCHES[..few(BATCHES.len(), FEW_BATCHES)];
    let mut all: Vec<Workload> = products.iter().map(|(m, n, k)| product(*m, *n, *k)).collect();
    all.extend(convolutions());
    for network in &NETWORKS {
        all.extend(batches.iter().map(|batch| Workload {
            name: format!("train {}, batch {batch}", network.name),
            kind: WorkKind::Training,
            what: Task::Training { network, batch: *batch, samples: images(quick) },
        }));
    }
    all
}

/// The workloads that `quick` leaves out, as the end of a sentence.
pub fn left_out_by_quick() -> String {
    let sizes: Vec<String> = PRODUCTS[FEW_PRODUCTS..].iter().map(|(m, _, _)| format!("{m}³")).collect();
    let batches: Vec<String> = BATCHES[FEW_BATCHES..].iter().map(usize::to_string).collect();
    format!("products of {} and batches of {}", sizes.join(", "), batches.join(" and "))
}

/// C = A·B   A: (m, k)  B: (k, n)
pub(super) fn product(m: usize, n: usize, k: usize) -> Workload {
    Workload { name: format!("sgemm {m}×{n}×{k}"), kind: WorkKind::Sgemm, what: Task::Product([m, n, k]) }
}

/// The forward convolutions of the bench of kernels, the smallest first.
fn convolutions() -> Vec<Workload> {
    let mut cases = bench_cases(&table::CONV_NAIVE);
    cases.retain(|case| !case.consts.flag("BACKWARD"));
    cases.sort_by_key(|case| Geometry::of(&case.consts).multiply_adds());
    let work = |case: Case| {
        let Geometry { batch, channels, outputs, rows, columns, .. } = Geometry::of(&case.consts);
        let (height, width) = (rows.size, columns.size);
        Workload {
            name: format!("conv 3x3 {channels} to {outputs} channels of {height}×{width}, batch {batch}"),
            kind: WorkKind::Conv,
            what: Task::Kernel(case, Choice::conv),
        }
    };
    cases.into_iter().map(work).collect()
}

impl Workload {
    /// The samples of a training step.
    pub fn batch(&self) -> Option<usize> {
        match self.what {
            Task::Product(_) | Task::Kernel(..) => None,
            Task::Training { batch, .. } => Some(batch),
        }
    }

    /// The network of a training step.
    pub fn network(&self) -> Option<&'static ReferenceNetwork> {
        match self.what {
            Task::Product(_) | Task::Kernel(..) => None,
            Task::Training { network, .. } => Some(network),
        }
    }

    /// The workload as a contender runs it.
    ///
    /// # Errors
    /// When the device is too small for it.
    pub fn job(&self, contender: &Contender) -> Result<Job> {
        Ok(match &self.what {
            Task::Product(shape) => Job::Product(plain_product(contender.choice, *shape)),
            Task::Kernel(case, version) => {
                let (kernel, consts) = version(&contender.choice, case.consts.clone());
                Job::Kernel(kernel, Case { consts, ..case.clone() })
            }
            Task::Training { network, batch, samples } => {
                let samples = noise(*samples);
                Job::Training(
                    Box::new(lowered(&contender.of, contender.choice, network.layers, *batch, &samples)?),
                    samples,
                )
            }
        })
    }
}

/// A workload made for a device.
pub(super) enum Job {
    Product(Recorded),
    Kernel(&'static Kernel, Case),
    Training(Box<Lowered>, Samples),
}

impl Job {
    /// The work of each dispatch of one run.
    pub fn needs(&self) -> Vec<Needs> {
        let of = |dispatch: &Dispatch| Needs::of(dispatch.kernel, &dispatch.consts);
        match self {
            Job::Product(work) => work.program.steps.iter().map(of).collect(),
            Job::Kernel(kernel, case) => vec![Needs::of(kernel, &case.consts)],
            Job::Training(lowered, _) => {
                lowered.program.steps[lowered.program.section(TRAIN)].iter().map(of).collect()
            }
        }
    }

    /// The workload on an engine, with its inputs.
    ///
    /// # Errors
    /// When the device fails or has too little memory.
    pub fn start(self, contender: &Contender) -> Result<Box<dyn Repeatable>> {
        let (needs, profiler) = (self.needs(), Profiler::default());
        match self {
            Job::Product(work) => {
                let mut engine = contender.open(work.program.clone(), &profiler)?;
                work.fill(engine.as_mut())?;
                let result = View { len: 1, ..work.outputs[0] };
                Ok(Box::new(Alone { engine, result, step: Step::default(), needs }))
            }
            Job::Kernel(kernel, case) => {
                let mut open = |program| contender.open(program, &profiler);
                let (engine, program) = ready(kernel, std::slice::from_ref(&case), &mut open)?;
                let last = program.steps[0].args[program.steps[0].args.len() - 1];
                Ok(Box::new(Alone { engine, result: View { len: 1, ..last }, step: case.step, needs }))
            }
            Job::Training(lowered, samples) => {
                let engine = contender.open(lowered.program.clone(), &profiler)?;
                Ok(Box::new(TrainingRun::new(engine, *lowered, &samples, profiler, needs)?))
            }
        }
    }
}

/// One dispatch, or the few that replace it, run repeatedly.
struct Alone {
    engine: Box<dyn Engine>,
    result: View,
    step: Step,
    needs: Vec<Needs>,
}

impl Repeatable for Alone {
    fn run(&mut self, times: usize) -> Result<f64> {
        let (mut left, mut seconds) = (times, 0.0);
        while left > 0 {
            let now = left.min(MAX_STEPS);
            seconds += now as f64
                * each(self.engine.as_mut(), 0..self.needs.len(), self.result, &|_| self.step, now)?;
            left -= now;
        }
        Ok(seconds / times as f64)
    }

    fn profile(&mut self, _: usize) -> Result<Option<Profile>> {
        // One dispatch needs no profile.
        Ok(None)
    }

    fn needs(&self) -> &[Needs] {
        &self.needs
    }
}

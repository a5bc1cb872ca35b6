//! The data sets with names: their files, and where these come from.

use std::path::PathBuf;

use super::platform;

/// The name of EMNIST, whose folder has the files of all its splits.
pub const EMNIST: &str = "emnist";
/// The names of EMNIST's splits, with which their files begin.
pub const EMNIST_SPLITS: [&str; 6] = [
    "emnist-balanced",
    "emnist-letters",
    "emnist-digits",
    "emnist-mnist",
    "emnist-byclass",
    "emnist-bymerge",
];

/// A data set that can be downloaded.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The name, as in [`load`](super::load).
    pub name: &'static str,
    /// What its images show.
    pub title: &'static str,
    /// The URL in front of the names of the files, with a slash at its end.
    pub base: &'static str,
    /// The files to download.
    pub files: &'static [Published],
    /// What the files are.
    pub form: Form,
}

/// A published file.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// The name.
    pub name: &'static str,
    /// The contents that are accepted, the publisher's first.
    pub versions: &'static [Version],
}

/// The content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The length in bytes.
    pub bytes: u64,
    /// The SHA-256 digest, 64 hexadecimal digits.
    pub sha256: &'static str,
}

/// What the files of a set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Files to be read as they are.
    Files,
    /// An archive of tar, compressed with gzip.
    TarGz,
    /// A zip archive.
    Zip,
}

/// All sets that can be downloaded.
///
/// Sizes and digests are those that the project TensorFlow Datasets publishes (`url_checksums`). The second version of
/// MNIST's files is that of this repository, which holds the same images compressed again.
pub const KNOWN: &[Known] = &[
    Known {
        name: "mnist",
        title: "handwritten digits, 28×28 grey",
        base: "https://ossci-datasets.s3.amazonaws.com/mnist/",
        files: &[
            published(
                "train-images-idx3-ubyte.gz",
                &[
                    version(9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
                    version(9_719_438, "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971"),
                ],
            ),
            published(
                "train-labels-idx1-ubyte.gz",
                &[
                    version(28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
                    version(28_857, "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203"),
                ],
            ),
            published(
                "t10k-images-idx3-ubyte.gz",
                &[
                    version(1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
                    version(1_616_508, "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be"),
                ],
            ),
            published(
                "t10k-labels-idx1-ubyte.gz",
                &[
                    version(4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
                    version(4_517, "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b"),
                ],
            ),
        ],
        form: Form::Files,
    },
    Known {
        name: "fashion-mnist",
        title: "clothes, 28×28 grey",
        // The publisher's repository has the files of the former web site, and speaks https.
        base: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        files: &[
            published(
                "train-images-idx3-ubyte.gz",
                &[version(26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84")],
            ),
            published(
                "train-labels-idx1-ubyte.gz",
                &[version(29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845")],
            ),
            published(
                "t10k-images-idx3-ubyte.gz",
                &[version(4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073")],
            ),
            published(
                "t10k-labels-idx1-ubyte.gz",
                &[version(5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")],
            ),
        ],
        form: Form::Files,
    },
    Known {
        name: EMNIST,
        title: "handwritten letters and digits, 28×28 grey, in six splits",
        base: "https://biometrics.nist.gov/cs_links/EMNIST/",
        files: &[published(
            "gzip.zip",
            &[version(561_753_746, "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e")],
        )],
        form: Form::Zip,
    },
    Known {
        name: "cifar-10",
        title: "photos of 10 classes, 32×32 colour",
        base: "https://www.cs.toronto.edu/~kriz/",
        files: &[published(
            "cifar-10-binary.tar.gz",
            &[version(170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")],
        )],
        form: Form::TarGz,
    },
    Known {
        name: "cifar-100",
        title: "photos of 100 classes, 32×32 colour",
        base: "https://www.cs.toronto.edu/~kriz/",
        files: &[published(
            "cifar-100-binary.tar.gz",
            &[version(168_513_733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec")],
        )],
        form: Form::TarGz,
    },
];

const fn published(name: &'static str, versions: &'static [Version]) -> Published {
    Published { name, versions }
}

const fn version(bytes: u64, sha256: &'static str) -> Version {
    Version { bytes, sha256 }
}

/// The set of a name; EMNIST for one of its splits.
pub fn known(name: &str) -> Option<&'static Known> {
    let name = if EMNIST_SPLITS.contains(&name) { EMNIST } else { name };
    KNOWN.iter().find(|known| known.name == name)
}

/// The user's folder for data sets, each in a folder of its name; none without a home directory.
pub fn user_folder() -> Option<PathBuf> {
    platform::data_folder().map(|folder| folder.join("wgrad"))
}
